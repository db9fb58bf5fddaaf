// The worker side: one module, at most one open raster, one call at a time.
import init, { Encoding, codecs, inspect, panicMessage, preview, validate } from './cogsmith.js';

/** A source of bytes at offsets, read synchronously. */
export interface Source {
  readonly length: number;
  /** Returns at most `length` bytes, starting at `offset`. */
  read(offset: number, length: number): Uint8Array;
}

/** The functions that a platform provides. */
export interface Host<Input, Kept> {
  /** Opens an input. */
  open(input: Input): Source;
  /** Stores bytes outside the module. */
  keep(bytes: Uint8Array<ArrayBuffer>): { kept: Kept; transfer: ArrayBuffer[] };
}

/** A call: its id, its name, and its arguments. */
export interface Call {
  id: number;
  call: string;
  // The arguments of each call are declared in `calls` below.
  with: any;
}

/** An answer: progress any number of times, then a result or an error. */
export type Answer =
  | { id: number; progress: number }
  | { id: number; result: unknown }
  | { id: number; error: { kind: string; message: string } };

/** Reads below this size go through cached blocks of it: parsing reads a few bytes here and there. */
const BLOCK = 1 << 16;
const MOST_BLOCKS = 64;

/** Returns a read function for the module, with a cache. */
function reader(source: Source): (offset: number, length: number) => Uint8Array {
  const blocks = new Map<number, Uint8Array>();
  return (offset, length) => {
    if (length >= BLOCK) return source.read(offset, length);
    const number = Math.floor(offset / BLOCK);
    let block = blocks.get(number);
    if (block === undefined) {
      const oldest = blocks.keys().next();
      if (blocks.size >= MOST_BLOCKS && !oldest.done) blocks.delete(oldest.value);
      block = source.read(number * BLOCK, Math.min(BLOCK, source.length - number * BLOCK));
      blocks.set(number, block);
    }
    const start = offset - number * BLOCK;
    return block.subarray(start, start + length);
  };
}

/** Returns a function that answers calls. */
export function serve<Input, Kept>(host: Host<Input, Kept>, post: (answer: Answer, transfer: ArrayBuffer[]) => void): (call: Call) => Promise<void> {
  let encoding: Encoding | undefined;
  let memory: WebAssembly.Memory | undefined;
  const opened = (input: Input): [(offset: number, length: number) => Uint8Array, number] => {
    const source = host.open(input);
    return [reader(source), source.length];
  };
  const current = (): Encoding => {
    if (encoding === undefined) throw { kind: 'Internal', message: 'no raster is open' };
    return encoding;
  };
  type Answered = { result?: unknown; transfer?: ArrayBuffer[] };
  const calls: Record<string, (args: any, progress: (rows: number) => void) => Answered | Promise<Answered>> = {
    start: async ({ module }: { module: WebAssembly.Module }) => {
      ({ memory } = await init({ module_or_path: module }));
      return {};
    },
    open: ({ input, image, options }) => {
      const [read, length] = opened(input);
      encoding = image === undefined ? Encoding.openFile(read, length, options) : Encoding.openArray(read, length, image, options);
      const { warnings, pixelBytes, rows, canShard } = encoding;
      return { result: { warnings, pixelBytes, rows, canShard } };
    },
    shard: ({ workers }) => ({ result: current().shard(workers) }),
    plan: ({ plan }) => {
      current().usePlan(plan);
      return {};
    },
    encode: ({ tier, row, column, pixels }, progress) => {
      const output = current().encodeShard(tier, row, column, pixels, progress);
      const { kept, transfer } = host.keep(output.fragment);
      if (output.pixels !== null) transfer.push(output.pixels.buffer);
      return { result: { record: output.record, fragment: kept, pixels: output.pixels }, transfer };
    },
    assemble: ({ records }) => ({ result: current().assemble(records) }),
    whole: (_, progress) => {
      const parts: { kept: Kept; length: number }[] = [];
      const transfers: ArrayBuffer[] = [];
      const summary = current().encodeWhole((bytes: Uint8Array<ArrayBuffer>) => {
        const { kept, transfer } = host.keep(bytes);
        parts.push({ kept, length: bytes.length });
        transfers.push(...transfer);
      }, progress);
      return { result: { parts, summary }, transfer: transfers };
    },
    codecs: () => ({ result: codecs() }),
    inspect: ({ input }) => ({ result: inspect(...opened(input)) }),
    validate: ({ input, options }) => ({ result: validate(...opened(input), options) }),
    preview: ({ input, level, range }) => {
      const picture = preview(...opened(input), level, range);
      picture.pixels = new Uint8ClampedArray(picture.pixels.buffer);
      return { result: picture, transfer: [picture.pixels.buffer] };
    },
  };
  return async ({ id, call, with: args }) => {
    try {
      const answer = calls[call];
      if (answer === undefined) throw { kind: 'Internal', message: `unknown call '${call}'` };
      const { result, transfer } = await answer(args, (progress) => post({ id, progress }, []));
      post({ id, result }, transfer ?? []);
    } catch (thrown) {
      post({ id, error: said(thrown, memory) }, []);
    }
  };
}

/** A module that stops with at least this many bytes has run out of memory: the limit is 4 GiB. */
const NEARLY_ALL = 3 * 2 ** 30;

/** Returns an error in a form that can be sent. */
function said(thrown: any, memory: WebAssembly.Memory | undefined): { kind: string; message: string } {
  if (thrown instanceof WebAssembly.RuntimeError) {
    const held = memory?.buffer.byteLength ?? 0;
    if (held >= NEARLY_ALL) return { kind: 'OutOfMemory', message: `out of memory: a worker uses ${held} bytes and cannot allocate more; try a smaller blocksize` };
    const why = panicMessage() ?? `${thrown.message}, with ${held} bytes of memory`;
    return { kind: 'Internal', message: `a worker stopped (${why}); it ran out of memory, or this is a bug in cogsmith: please report it` };
  }
  if (thrown instanceof RangeError) return { kind: 'OutOfMemory', message: `out of memory: ${thrown.message}` };
  if (typeof thrown?.kind === 'string') return thrown;
  return { kind: 'Internal', message: String(thrown?.message ?? thrown) };
}
