// The package in Node.
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker, type Transferable as NodeTransferable } from 'node:worker_threads';
import type { Answer } from './engine.js';
import { describe, encode, inspectInput, listCodecs, previewInput, toBytes, toStream, validateInput, watched, type Part, type Platform } from './api.js';
import { CogError } from './errors.js';
import type { Codec, CreateOptions, ImageDescription, Info, Preview, Progress, Report, Summary, TypedArray, ValidateOptions, Watch } from './types.js';
import type { NodeInput } from './worker-node.js';

export { CogError, type CogErrorKind } from './errors.js';
export type * from './types.js';

/**
 * An input: bytes in memory, a `Blob`, the path of a file, or an open file (`fs.promises.open`). All except bytes are read in
 * slices.
 */
export type Input = Uint8Array | Blob | string | URL | { readonly fd: number };

/** An open input. */
interface Opened {
  /** Returns the input for one more worker. */
  input(): NodeInput;
  close(): void;
}

let compiled: Promise<WebAssembly.Module> | undefined;

const platform: Platform<Opened, Uint8Array> = {
  module() {
    compiled ??= readFile(new URL('./cogsmith_bg.wasm', import.meta.url)).then((bytes) => WebAssembly.compile(bytes));
    return compiled;
  },
  spawn(answer, failed) {
    const worker = new Worker(new URL('./worker-node.js', import.meta.url));
    worker.on('message', (message: Answer) => answer(message));
    worker.on('error', (error) => failed((error as Error).message));
    return {
      post(message, transfer) {
        const call = message as { with: { input?: Opened } };
        const given = call.with.input?.input();
        const ports = given !== undefined && 'port' in given ? [given.port] : [];
        const sent = given === undefined ? call : { ...call, with: { ...call.with, input: given } };
        worker.postMessage(sent, [...(transfer as unknown as NodeTransferable[]), ...ports]);
      },
      end: () => void worker.terminate(),
    };
  },
  cores: availableParallelism,
  share(bytes) {
    const shared = new SharedArrayBuffer(bytes.reduce((sum, part) => sum + part.length, 0));
    const all = new Uint8Array(shared);
    let at = 0;
    for (const part of bytes) {
      all.set(part, at);
      at += part.length;
    }
    return { input: () => ({ shared }), close() {} };
  },
  keep: (bytes) => bytes,
  async *chunks({ kept, start, end }: Part<Uint8Array>) {
    yield kept.subarray(start, end);
  },
};

/** Reads slices of a Blob for workers, which block until the answer. */
function served(blob: Blob): Opened {
  const channels: MessageChannel[] = [];
  return {
    input() {
      const channel = new MessageChannel();
      const flag = new SharedArrayBuffer(4);
      channels.push(channel);
      channel.port1.on('message', async ([offset, length]: [number, number]) => {
        let answer: Uint8Array | string;
        try {
          answer = new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
        } catch (error) {
          answer = (error as Error).message;
        }
        channel.port1.postMessage(answer);
        Atomics.store(new Int32Array(flag), 0, 1);
        Atomics.notify(new Int32Array(flag), 0);
      });
      return { port: channel.port2, flag, length: blob.size };
    },
    close: () => channels.forEach(({ port1 }) => port1.close()),
  };
}

function opened(input: Input): Opened {
  if (input instanceof Uint8Array) return platform.share([input]);
  if (input instanceof Blob) return served(input);
  const plain = (input: NodeInput): Opened => ({ input: () => input, close() {} });
  if (typeof input === 'string') return plain({ path: input });
  if (input instanceof URL) return plain({ path: fileURLToPath(input) });
  if (typeof input?.fd === 'number') return plain({ descriptor: input.fd });
  const message = "option 'input': expected a Uint8Array, a Blob, the path of a file, or an open file";
  throw new CogError({ kind: 'InvalidOption', option: 'input', message });
}

/** Opens an input for the duration of a job. */
async function during<T>(input: Input, job: (opened: Opened) => Promise<T>): Promise<T> {
  const it = opened(input);
  try {
    return await job(it);
  } finally {
    it.close();
  }
}

/**
 * Converts a GeoTIFF to a Cloud Optimized GeoTIFF; returns a `Blob` for a `Blob`, otherwise bytes.
 *
 * @throws {CogError}
 */
export async function createCog(input: Blob, options?: CreateOptions, watch?: Watch | ((progress: Progress) => void)): Promise<Blob>;
export async function createCog(
  input: Exclude<Input, Blob>,
  options?: CreateOptions,
  watch?: Watch | ((progress: Progress) => void),
): Promise<Uint8Array<ArrayBuffer>>;
export async function createCog(input: Input, options: CreateOptions = {}, watch?: Watch | ((progress: Progress) => void)): Promise<Uint8Array | Blob> {
  const output = await during(input, (opened) => encode(platform, opened, undefined, options, watched(watch)));
  if (!(input instanceof Blob)) return toBytes(platform, output);
  const parts = output.parts.map(({ kept, start, end }) => kept.subarray(start, end) as Uint8Array<ArrayBuffer>);
  return new Blob(parts, { type: 'image/tiff; application=geotiff; profile=cloud-optimized' });
}

/**
 * Converts a GeoTIFF like `createCog`, but writes to a stream, such as `Writable.toWeb(fs.createWriteStream(path))`. The
 * stream is closed at the end, or aborted on an error.
 *
 * @throws {CogError}
 */
export async function createCogTo(
  writable: WritableStream<Uint8Array<ArrayBuffer>>,
  input: Input,
  options: CreateOptions = {},
  watch?: Watch | ((progress: Progress) => void),
): Promise<Summary> {
  try {
    const output = await during(input, (opened) => encode(platform, opened, undefined, options, watched(watch)));
    await toStream(platform, output, writable);
    return output.summary;
  } catch (error) {
    if (!writable.locked) await writable.abort(error).catch(() => {});
    throw error;
  }
}

/**
 * Encodes an array as a Cloud Optimized GeoTIFF.
 *
 * @throws {CogError}
 */
export async function encodeCog(
  array: TypedArray,
  image: ImageDescription,
  options: CreateOptions = {},
  watch?: Watch | ((progress: Progress) => void),
): Promise<Uint8Array<ArrayBuffer>> {
  const { bytes, described } = describe(array, image);
  return toBytes(platform, await encode(platform, platform.share(bytes), described, options, watched(watch)));
}

/**
 * Validates a file by the rules of TIFF, GeoTIFF, OGC 21-026, GDAL, and rio-cogeo, and by its pixels.
 *
 * @throws {CogError} if the file cannot be read or is not a TIFF.
 */
export async function validateCog(input: Input, options: ValidateOptions = {}): Promise<Report> {
  return during(input, (opened) => validateInput(platform, { input: opened, options }));
}

/**
 * Describes a TIFF; it does not have to be a Cloud Optimized GeoTIFF.
 *
 * @throws {CogError}
 */
export async function inspect(input: Input): Promise<Info> {
  return during(input, (opened) => inspectInput(platform, { input: opened }));
}

/**
 * Draws a level (0 is full resolution). Values that are not colors are stretched from their 2nd to their 98th percentile, or
 * over `range`.
 *
 * @throws {CogError}
 */
export async function preview(input: Input, level: number, range?: [number, number]): Promise<Preview> {
  return during(input, (opened) => previewInput(platform, { input: opened, level, range }));
}

/**
 * Describes the values of the option `compress`.
 *
 * @throws {CogError} if the module cannot be loaded.
 */
export async function codecs(): Promise<Codec[]> {
  return listCodecs(platform);
}
