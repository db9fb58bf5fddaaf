/** The kind of an error, for programs. */
export type CogErrorKind =
  /** An option is unknown, out of range, or contradicts the image or another option. */
  | 'InvalidOption'
  /** The description of the image contradicts itself. */
  | 'InvalidImage'
  /** The input uses an unsupported feature. */
  | 'Unsupported'
  /** The input is not a TIFF file. */
  | 'NotTiff'
  /** The input is damaged. */
  | 'Corrupt'
  /** A size exceeds what the format or a module's memory can hold. */
  | 'Limit'
  | 'OutOfMemory'
  | 'TileEncode'
  /** The array does not have the number of samples in its description. */
  | 'PixelCount'
  /** Reading or writing failed. */
  | 'Io'
  | 'Cancelled'
  /** A bug in this library: please report it. */
  | 'Internal';

/** The error that every function of this package throws. The message says what is wrong and where. */
export class CogError extends Error {
  override readonly name = 'CogError';
  readonly kind: CogErrorKind;
  /** The invalid option, for kind `InvalidOption`. */
  readonly option?: string;
  /** The damaged part of the input, for kind `Corrupt`. */
  readonly place?: string;
  /** The apparent format of the input, such as `a PNG image`, for kind `NotTiff`; `undefined` if not recognized. */
  readonly found?: string;
  /** The unsupported feature, for kind `Unsupported`. */
  readonly feature?: string;
  /** The limit, and the value that exceeds it, for kind `Limit`. */
  readonly limit?: number;
  readonly value?: number;

  constructor(said: { kind: CogErrorKind; message: string; [field: string]: unknown }) {
    super(said.message);
    const { message: _, ...fields } = said;
    Object.assign(this, fields);
    this.kind = said.kind;
  }

  /** Converts a value thrown in a worker. */
  static from(thrown: unknown): CogError {
    if (thrown instanceof CogError) return thrown;
    const said = thrown as { kind?: CogErrorKind; message?: unknown } | null;
    if (said?.kind !== undefined) return new CogError({ ...said, kind: said.kind, message: String(said.message) });
    return new CogError({ kind: 'Internal', message: String(said?.message ?? thrown) });
  }
}

/** Returns an error about an option. */
export function refused(option: string, reason: string): CogError {
  return new CogError({ kind: 'InvalidOption', option, message: `option '${option}': ${reason}` });
}
