/** What went wrong, for programs. */
export type CogErrorKind =
  /** An option is unknown, out of its range, or contradicts the image or another option. */
  | 'InvalidOption'
  /** The description of the image contradicts itself. */
  | 'InvalidImage'
  /** The input uses a feature that is not read. */
  | 'Unsupported'
  /** The input is not a TIFF file. */
  | 'NotTiff'
  /** The input is damaged. */
  | 'Corrupt'
  /** A size is over what the format, or the memory of a module, can hold. */
  | 'Limit'
  | 'OutOfMemory'
  | 'TileEncode'
  /** The array has not as many samples as its description says. */
  | 'PixelCount'
  /** Reading or writing failed. */
  | 'Io'
  | 'Cancelled'
  /** A fault of this library: please report it. */
  | 'Internal';

/** The error of every function of this package: what went wrong, where, and what to do about it. */
export class CogError extends Error {
  override readonly name = 'CogError';
  readonly kind: CogErrorKind;
  /** The option that is wrong, of kind `InvalidOption`. */
  readonly option?: string;
  /** The part of the input that is wrong, of kind `Corrupt`. */
  readonly place?: string;
  /** What the input looks like, such as `a PNG image`, of kind `NotTiff`; missing if its first bytes do not tell. */
  readonly found?: string;
  /** What is not read, of kind `Unsupported`. */
  readonly feature?: string;
  /** The limit, and the value that is over it, of kind `Limit`. */
  readonly limit?: number;
  readonly value?: number;

  constructor(said: { kind: CogErrorKind; message: string; [field: string]: unknown }) {
    super(said.message);
    const { message: _, ...fields } = said;
    Object.assign(this, fields);
    this.kind = said.kind;
  }

  /** As it crosses from a worker. */
  static from(thrown: unknown): CogError {
    if (thrown instanceof CogError) return thrown;
    const said = thrown as { kind?: CogErrorKind; message?: unknown } | null;
    if (said?.kind !== undefined) return new CogError({ ...said, kind: said.kind, message: String(said.message) });
    return new CogError({ kind: 'Internal', message: String(said?.message ?? thrown) });
  }
}

/** An error about an option. */
export function refused(option: string, reason: string): CogError {
  return new CogError({ kind: 'InvalidOption', option, message: `option '${option}': ${reason}` });
}
