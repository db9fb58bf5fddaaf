// The package in a browser.
import type { Answer } from './engine.js';
import { describe, encode, inspectInput, listCodecs, previewInput, toBytes, toStream, validateInput, watched, type Part, type Platform } from './api.js';
import { CogError } from './errors.js';
import type { Codec, CreateOptions, ImageDescription, Info, Preview, Progress, Report, Summary, TypedArray, ValidateOptions, Watch } from './types.js';

export { CogError, type CogErrorKind } from './errors.js';
export type * from './types.js';

/** An input: bytes in memory, or a `Blob` (such as a `File`), which is read in slices. */
export type Input = Uint8Array | Blob;

let compiled: Promise<WebAssembly.Module> | undefined;

async function compile(): Promise<WebAssembly.Module> {
  const response = await fetch(new URL('./cogsmith_bg.wasm', import.meta.url));
  if (!response.ok) throw new CogError({ kind: 'Io', message: `cannot load the module: ${response.status} ${response.statusText}` });
  // Not `compileStreaming`: many servers send modules with the wrong media type.
  return WebAssembly.compile(await response.arrayBuffer());
}

const platform: Platform<Blob, Blob> = {
  async module() {
    compiled ??= compile();
    try {
      return await compiled;
    } catch (error) {
      // The network may be available at the next attempt.
      compiled = undefined;
      throw error instanceof CogError ? error : new CogError({ kind: 'Io', message: `cannot load the module: ${(error as Error).message}` });
    }
  },
  spawn(answer, failed) {
    const worker = new Worker(new URL('./worker-web.js', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<Answer>) => answer(data);
    worker.onerror = (event) => failed(event.message ?? 'it could not be loaded');
    return { post: (message, transfer) => worker.postMessage(message, transfer), end: () => worker.terminate() };
  },
  cores: () => navigator.hardwareConcurrency || 1,
  share: (bytes) => new Blob(bytes as Uint8Array<ArrayBuffer>[]),
  keep: (bytes) => new Blob([bytes]),
  async *chunks({ kept, start, end }: Part<Blob>) {
    const reader = kept.slice(start, end).stream().getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  },
};

function opened(input: Input): Blob {
  if (input instanceof Blob) return input;
  if (input instanceof Uint8Array) return platform.share([input]);
  throw new CogError({ kind: 'InvalidOption', option: 'input', message: "option 'input': expected a Uint8Array, a Blob or a File" });
}

/**
 * Converts a GeoTIFF to a Cloud Optimized GeoTIFF; returns a `Blob` for a `Blob`, and bytes for bytes.
 *
 * @throws {CogError}
 */
export async function createCog(input: Blob, options?: CreateOptions, watch?: Watch | ((progress: Progress) => void)): Promise<Blob>;
export async function createCog(input: Uint8Array, options?: CreateOptions, watch?: Watch | ((progress: Progress) => void)): Promise<Uint8Array<ArrayBuffer>>;
export async function createCog(input: Input, options: CreateOptions = {}, watch?: Watch | ((progress: Progress) => void)): Promise<Uint8Array | Blob> {
  const output = await encode(platform, opened(input), undefined, options, watched(watch));
  if (input instanceof Uint8Array) return toBytes(platform, output);
  return new Blob(output.parts.map(({ kept, start, end }) => kept.slice(start, end)), { type: 'image/tiff; application=geotiff; profile=cloud-optimized' });
}

/**
 * Converts a GeoTIFF like `createCog`, but writes to a stream, such as `FileSystemFileHandle.createWritable()`. The stream is
 * closed at the end, or aborted on an error.
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
    const output = await encode(platform, opened(input), undefined, options, watched(watch));
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
  return validateInput(platform, { input: opened(input), options });
}

/**
 * Describes a TIFF; it does not have to be a Cloud Optimized GeoTIFF.
 *
 * @throws {CogError}
 */
export async function inspect(input: Input): Promise<Info> {
  return inspectInput(platform, { input: opened(input) });
}

/**
 * Draws a level (0 is full resolution). Values that are not colors are stretched from their 2nd to their 98th percentile, or
 * over `range`.
 *
 * @throws {CogError}
 */
export async function preview(input: Input, level: number, range?: [number, number]): Promise<Preview> {
  return previewInput(platform, { input: opened(input), level, range });
}

/**
 * Describes the values of the option `compress`.
 *
 * @throws {CogError} if the module cannot be loaded.
 */
export async function codecs(): Promise<Codec[]> {
  return listCodecs(platform);
}
