// The caller's side: opens inputs, hands shards to workers, assembles the file.
import type { Answer } from './engine.js';
import { CogError, refused } from './errors.js';
import type { Codec, CreateOptions, DataType, ImageDescription, Info, Preview, Progress, Report, Summary, TypedArray, ValidateOptions, Watch } from './types.js';

/** A running worker. */
export interface Thread {
  post(message: unknown, transfer: Transferable[]): void;
  end(): void;
}

/** A piece of the file: a range of bytes that a worker stored. */
export interface Part<Kept> {
  kept: Kept;
  start: number;
  end: number;
}

/** The functions that a platform provides. */
export interface Platform<Input, Kept> {
  /** Returns the compiled module. */
  module(): Promise<WebAssembly.Module>;
  /** Starts a worker. */
  spawn(answer: (answer: Answer) => void, failed: (message: string) => void): Thread;
  cores(): number;
  /** Makes bytes readable by all workers. */
  share(bytes: Uint8Array[]): Input;
  /** Stores bytes that are in memory already. */
  keep(bytes: Uint8Array<ArrayBuffer>): Kept;
  /** Reads a part in chunks. */
  chunks(part: Part<Kept>): AsyncIterable<Uint8Array>;
}

/** Bytes of pixels that make another worker worth starting. */
const WORKER_BYTES = 4 << 20;
/** Maximum length of a `Uint8Array` in all engines. */
const MOST_ARRAY_BYTES = 2 ** 32 - 1;

/** A finished file, as parts of the workers' results. */
export interface Output<Kept> {
  parts: Part<Kept>[];
  summary: Summary;
}

interface Shard {
  tier: number;
  row: number;
  column: number;
  rows: number;
  inputs: number[];
}

interface Encoded<Kept> {
  record: Uint8Array;
  fragment: Kept;
  pixels: Uint8Array | null;
}

/** The workers of one job. */
class Pool<Input, Kept> {
  private readonly workers: Worker<Input, Kept>[] = [];
  private readonly stop: (error: CogError) => void;
  /** Rejects when the job is to stop. */
  readonly stopped: Promise<never>;

  constructor(
    private readonly platform: Platform<Input, Kept>,
    private readonly signal?: AbortSignal,
  ) {
    let stop!: (error: CogError) => void;
    this.stopped = new Promise<never>((_, reject) => (stop = reject));
    // The rejection is reported to whoever awaits the job.
    this.stopped.catch(() => {});
    this.stop = stop;
    signal?.addEventListener('abort', this.abort);
    if (signal?.aborted) this.abort();
  }

  private readonly abort = (): void => this.stop(new CogError({ kind: 'Cancelled', message: 'cancelled' }));

  async start(): Promise<Worker<Input, Kept>> {
    const module = await this.platform.module();
    if (this.ended) throw new CogError({ kind: 'Cancelled', message: 'cancelled' });
    const worker = new Worker<Input, Kept>(this.platform);
    this.workers.push(worker);
    await worker.call('start', { module });
    return worker;
  }

  private ended = false;

  end(): void {
    this.ended = true;
    this.signal?.removeEventListener('abort', this.abort);
    this.workers.forEach((worker) => worker.end());
  }
}

class Worker<Input, Kept> {
  private readonly thread: Thread;
  private failed: CogError | undefined;
  private next = 0;
  private readonly waiting = new Map<number, { resolve: (result: any) => void; reject: (error: CogError) => void; progress: (rows: number) => void }>();

  constructor(platform: Platform<Input, Kept>) {
    this.thread = platform.spawn(
      (answer) => this.answer(answer),
      (message) => {
        const error = new CogError({ kind: 'Internal', message: `a worker failed: ${message}` });
        this.failed = error;
        this.waiting.forEach(({ reject }) => reject(error));
        this.waiting.clear();
      },
    );
  }

  call(call: string, args: unknown, progress: (rows: number) => void = () => {}): Promise<any> {
    if (this.failed !== undefined) return Promise.reject(this.failed);
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, progress });
      try {
        this.thread.post({ id, call, with: args }, []);
      } catch (error) {
        this.waiting.delete(id);
        // A value that cannot be sent to a worker is not a valid option.
        reject(refused('options', String((error as Error).message)));
      }
    });
  }

  private answer(answer: Answer): void {
    const waiting = this.waiting.get(answer.id);
    if (waiting === undefined) return;
    if ('progress' in answer) return waiting.progress(answer.progress);
    this.waiting.delete(answer.id);
    if ('error' in answer) waiting.reject(CogError.from(answer.error));
    else waiting.resolve(answer.result);
  }

  end(): void {
    this.thread.end();
  }
}

/** Runs a job with workers of its own. */
async function withPool<Input, Kept, T>(
  platform: Platform<Input, Kept>,
  signal: AbortSignal | undefined,
  job: (pool: Pool<Input, Kept>) => Promise<T>,
): Promise<T> {
  const pool = new Pool(platform, signal);
  try {
    return await Promise.race([pool.stopped, job(pool)]);
  } finally {
    pool.end();
  }
}

/** Encodes an input. */
export async function encode<Input, Kept>(
  platform: Platform<Input, Kept>,
  input: Input,
  image: Record<string, unknown> | undefined,
  given: CreateOptions,
  watch: Watch,
): Promise<Output<Kept>> {
  if (given === null || typeof given !== 'object') throw refused('options', 'expected an object');
  const { threads, ...options } = given;
  const most = threads === undefined || threads === 'all' ? platform.cores() : threads;
  if (!Number.isInteger(most) || most < 1 || most > 1024) throw refused('threads', "expected 'all' or a number from 1 to 1024");
  return withPool(platform, watch.signal, async (pool) => {
    const first = await pool.start();
    const opened = await first.call('open', { input, image, options });
    const warn = watch.warning ?? ((text: string) => console.warn(`cogsmith: ${text}`));
    opened.warnings.forEach(warn);
    const rows: number = opened.rows;
    const say = (rowsDone: number): void => watch.progress?.({ rowsDone, rows } satisfies Progress);
    say(0);
    const output = opened.canShard
      ? await encodeShards(platform, pool, first, { input, image, options }, Math.max(1, Math.min(most, Math.ceil(opened.pixelBytes / WORKER_BYTES))), rows, say)
      : await encodeWhole<Kept>(first, say);
    say(rows);
    watch.summary?.(output.summary);
    return output;
  });
}

async function encodeWhole<Kept>(worker: Worker<any, Kept>, say: (rows: number) => void): Promise<Output<Kept>> {
  const { parts, summary } = await worker.call('whole', {}, say);
  return { parts: parts.map(({ kept, length }: { kept: Kept; length: number }) => ({ kept, start: 0, end: length })), summary };
}

async function encodeShards<Input, Kept>(
  platform: Platform<Input, Kept>,
  pool: Pool<Input, Kept>,
  first: Worker<Input, Kept>,
  job: { input: Input; image: unknown; options: unknown },
  workers: number,
  rows: number,
  say: (rows: number) => void,
): Promise<Output<Kept>> {
  const { plan, shards }: { plan: Uint8Array; shards: Shard[] } = await first.call('shard', { workers });
  const done: (Encoded<Kept> | undefined)[] = shards.map(() => undefined);
  // The number of shards that still need the pixels of each shard.
  const uses = shards.map(() => 0);
  shards.forEach(({ inputs }) => inputs.forEach((input) => (uses[input]! += 1)));
  const read = shards.map(() => 0);
  const all = shards.reduce((sum, shard) => sum + (shard.tier === 0 ? shard.rows : 0), 0);
  const progress = (index: number, of: number): void => {
    // Windows of neighboring shards overlap, so rows are counted as a share of the total.
    read[index] = of;
    say(Math.min(rows, Math.floor((read.reduce((sum, one) => sum + one, 0) / all) * rows)));
  };
  let next = 0;
  let changed!: () => void;
  let change = new Promise<void>((resolve) => (changed = resolve));
  const work = async (worker: Worker<Input, Kept>): Promise<void> => {
    while (next < shards.length) {
      const index = next++;
      const { tier, row, column, inputs, rows: own } = shards[index]!;
      // Earlier shards have been encoded, or are being encoded: none of them waits for this one.
      while (inputs.some((input) => done[input] === undefined)) await change;
      const pixels = inputs.map((input) => done[input]!.pixels);
      const encoded: Encoded<Kept> = await worker.call('encode', { tier, row, column, pixels }, (at) => tier === 0 && progress(index, at));
      if (tier === 0) progress(index, own);
      for (const input of inputs) {
        uses[input]! -= 1;
        if (uses[input] === 0) done[input]!.pixels = null;
      }
      done[index] = encoded;
      const wake = changed;
      change = new Promise<void>((resolve) => (changed = resolve));
      wake();
    }
  };
  const join = async (): Promise<void> => {
    const worker = await pool.start();
    if (next >= shards.length) return;
    await worker.call('open', job);
    await worker.call('plan', { plan });
    await work(worker);
  };
  const others = Array.from({ length: Math.min(workers, shards.length) - 1 }, join);
  await Promise.all([work(first), ...others]);
  const encoded = done as Encoded<Kept>[];
  const { header, pieces, summary } = await first.call('assemble', { records: encoded.map(({ record }) => record) });
  const parts: Part<Kept>[] = [{ kept: platform.keep(header), start: 0, end: header.length }];
  for (let at = 0; at < pieces.length; at += 3) {
    parts.push({ kept: encoded[pieces[at]]!.fragment, start: pieces[at + 1], end: pieces[at + 2] });
  }
  return { parts, summary };
}

/** Returns the whole file as bytes. */
export async function toBytes<Kept>(platform: Platform<any, Kept>, { parts, summary }: Output<Kept>): Promise<Uint8Array<ArrayBuffer>> {
  if (summary.bytes > MOST_ARRAY_BYTES) {
    const message = `the file has ${summary.bytes} bytes, over the limit of ${MOST_ARRAY_BYTES} bytes for an array; pass a Blob, or use createCogTo`;
    throw new CogError({ kind: 'Limit', message, value: summary.bytes, limit: MOST_ARRAY_BYTES });
  }
  let bytes;
  try {
    bytes = new Uint8Array(summary.bytes);
  } catch {
    throw new CogError({ kind: 'OutOfMemory', message: `out of memory: the file needs ${summary.bytes} bytes; use createCogTo` });
  }
  let at = 0;
  for (const part of parts) {
    for await (const chunk of platform.chunks(part)) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
  }
  return bytes;
}

/** Writes the whole file to a stream. */
export async function toStream<Kept>(platform: Platform<any, Kept>, { parts }: Output<Kept>, writable: WritableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
  const writer = writable.getWriter();
  try {
    for (const part of parts) {
      for await (const chunk of platform.chunks(part)) {
        await writer.ready;
        await writer.write(chunk as Uint8Array<ArrayBuffer>);
      }
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {});
    throw new CogError({ kind: 'Io', message: `cannot write the output: ${(error as Error)?.message ?? error}` });
  } finally {
    writer.releaseLock();
  }
}

/** The data type of each kind of array, and the complex type for arrays of real and imaginary parts. */
const TYPES: Record<string, DataType[]> = {
  Uint8Array: ['u8'],
  Uint8ClampedArray: ['u8'],
  Int8Array: ['i8'],
  Uint16Array: ['u16'],
  Int16Array: ['i16', 'ci16'],
  Uint32Array: ['u32'],
  Int32Array: ['i32', 'ci32'],
  Float16Array: ['f16'],
  Float32Array: ['f32', 'cf32'],
  Float64Array: ['f64', 'cf64'],
  BigUint64Array: ['u64'],
  BigInt64Array: ['i64'],
};

/** Returns the bytes of an array and its mask, and its description for the module. */
export function describe(array: TypedArray, image: ImageDescription): { bytes: Uint8Array[]; described: Record<string, unknown> } {
  const types = ArrayBuffer.isView(array) ? TYPES[array.constructor.name] ?? (array instanceof Uint8Array ? TYPES.Uint8Array : undefined) : undefined;
  if (types === undefined) throw new CogError({ kind: 'InvalidImage', message: 'invalid image: the pixels are not a typed array' });
  if (image === null || typeof image !== 'object') throw refused('image', 'expected an object');
  const { mask, ...rest } = image;
  const dtype = image.dtype ?? types[0];
  if (!(array instanceof Uint8Array) && !types.includes(dtype as DataType)) {
    throw new CogError({ kind: 'InvalidImage', message: `invalid image: dtype is ${dtype}, but the array is a ${array.constructor.name}` });
  }
  if (mask !== undefined && !(mask instanceof Uint8Array)) throw refused('mask', 'expected a Uint8Array with a byte for each pixel');
  const bytes = [new Uint8Array(array.buffer, array.byteOffset, array.byteLength)];
  if (mask !== undefined) bytes.push(mask);
  return { bytes, described: { ...rest, dtype, mask: mask !== undefined } };
}

/** Converts the `watch` argument: callbacks, or a single progress callback. */
export function watched(watch: Watch | ((progress: Progress) => void) | undefined): Watch {
  return typeof watch === 'function' ? { progress: watch } : (watch ?? {});
}

/** Returns a function for a call that needs one worker and no encoding. */
function one<T>(call: string) {
  return <Input, Kept>(platform: Platform<Input, Kept>, args: { input?: Input; [name: string]: unknown } = {}): Promise<T> =>
    withPool(platform, undefined, async (pool) => (await pool.start()).call(call, args));
}

export const listCodecs = one<Codec[]>('codecs');
export const inspectInput = one<Info>('inspect');
export const validateInput = one<Report>('validate');
export const previewInput = one<Preview>('preview');
export type { ValidateOptions };
