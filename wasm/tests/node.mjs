// Runs the package in Node: node node.mjs JOBS.json
// Jobs: [{ name, input, as, options, output, full }, …]; `full` takes the module with every codec. Prints the result of each job to standard output as a line of JSON, then
// runs cases of its own: errors, arrays, streams.
import assert from 'node:assert/strict';
import { createWriteStream, mkdtempSync, openAsBlob, readFileSync, rmSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { CogError, codecs, createCog, createCogTo, encodeCog, inspect, preview, validateCog } from '../pkg/node.js';

import * as full from '../pkg/full/node.js';

const jobs = JSON.parse(readFileSync(process.argv[2], 'utf8'));

/** Returns an input in one of the supported forms, and a function that closes it. */
async function opened(path, as) {
  if (as === 'path') return [path, () => {}];
  if (as === 'blob') return [await openAsBlob(path), () => {}];
  if (as === 'handle') {
    const handle = await open(path);
    return [handle, () => handle.close()];
  }
  return [new Uint8Array(await readFile(path)), () => {}];
}

for (const job of jobs) {
  const said = { name: job.name, progress: [], warnings: [] };
  try {
    const [input, close] = await opened(job.input, job.as);
    const watch = {
      progress: ({ rowsDone, rows }) => said.progress.push(rowsDone / rows),
      warning: (text) => said.warnings.push(text),
      summary: (summary) => (said.summary = summary),
    };
    if (job.stream) {
      said.summary = await (job.full ? full : { createCogTo }).createCogTo(Writable.toWeb(createWriteStream(job.output)), input, job.options, watch);
    } else {
      const cog = await (job.full ? full : { createCog }).createCog(input, job.options, watch);
      assert.equal(cog instanceof Blob, job.as === 'blob');
      await writeFile(job.output, cog instanceof Blob ? new Uint8Array(await cog.arrayBuffer()) : cog);
    }
    await close();
    const report = await validateCog(job.output);
    said.valid = report.valid;
    said.findings = report.findings;
    said.info = await inspect(job.output);
  } catch (error) {
    said.error = { kind: error.kind, message: error.message, stack: error.kind === undefined ? error.stack : undefined };
  }
  said.progress = { first: said.progress[0], last: said.progress.at(-1), grows: said.progress.every((at, i) => i === 0 || at >= said.progress[i - 1]), count: said.progress.length };
  console.log(JSON.stringify(said));
}

const folder = mkdtempSync(join(tmpdir(), 'cogsmith-wasm-'));
const cases = [];
const check = (name, run) => cases.push([name, run]);
const refused = async (promise, kind, part, fields = {}) => {
  const error = await promise.then(() => assert.fail('it was accepted'), (error) => error);
  assert.ok(error instanceof CogError, error.stack);
  assert.equal(error.kind, kind, error.message);
  assert.match(error.message, part);
  for (const [name, value] of Object.entries(fields)) assert.equal(error[name], value);
};
const fixture = new URL('../../fixtures/dem_f32.tif', import.meta.url);
const bytes = new Uint8Array(readFileSync(fixture));

check('unknown options throw', () => refused(createCog(bytes, { compression: 'zstd' }), 'InvalidOption', /unknown name 'compression'; expected one of compress/));
check('scale, offset and unit throw', async () => {
  for (const [name, option] of [['scale', 'bandScale'], ['offset', 'bandOffset'], ['unit', 'bandUnit']]) {
    await refused(createCog(bytes, { [name]: 1 }), 'InvalidOption', new RegExp(`'${name}'; ${option} records an? .* in the metadata; .*gdal_translate -scale`));
  }
});
check('an unknown value throws', () => refused(createCog(bytes, { compress: 'jpeg2000' }), 'InvalidOption', /none, lzw, packbits, deflate, zstd/, { option: 'compress' }));
check('a codec that the module lacks is refused by name', () => refused(createCog(bytes, { compress: 'jpeg' }), 'InvalidOption', /cogsmith\/full/, { option: 'compress' }));
check('levels are checked by codec', () => refused(createCog(bytes, { level: 10 }), 'InvalidOption', /10 is out of range for deflate \(1 to 9\)/, { option: 'level' }));
check('codecs are those of the module, each with its range', async () => {
  const listed = await codecs();
  assert.deepEqual(listed.map(({ name }) => name), ['none', 'lzw', 'packbits', 'deflate', 'zstd']);
  assert.deepEqual(listed.filter(({ isDefault }) => isDefault).map(({ name }) => name), ['deflate']);
  assert.deepEqual(listed.filter(({ takesPredictor }) => !takesPredictor).map(({ name }) => name), ['none', 'packbits']);
  for (const { name, parameter, missingIn } of listed) {
    assert.equal(missingIn.length > 0, name === 'zstd');
    if (parameter === null) continue;
    await createCog(bytes, { compress: name, [parameter.name]: parameter.min });
    await refused(createCog(bytes, { compress: name, [parameter.name]: parameter.max + 1 }), 'InvalidOption', /out of range/, { option: parameter.name });
  }
});
check('contradictions throw', () => refused(createCog(bytes, { compress: 'lzw', level: 3 }), 'InvalidOption', /no effect/, { option: 'level' }));
check('tile sizes are checked', () => refused(createCog(bytes, { overviewBlocksize: 100 }), 'InvalidOption', /multiple of 16/, { option: 'overviewBlocksize' }));
check('threads are checked', () => refused(createCog(bytes, { threads: 0 }), 'InvalidOption', /1 to 1024/, { option: 'threads' }));
check('functions are not options', () => refused(createCog(bytes, { compress: () => 1 }), 'InvalidOption', /options/));
check('inputs are checked', () => refused(createCog(5), 'InvalidOption', /Uint8Array/, { option: 'input' }));
check('a missing file is named', () => refused(createCog('/no/such.tif'), 'Io', /no\/such\.tif/));
check('text is not a TIFF', () => refused(createCog(new TextEncoder().encode('hello, hello, hello')), 'NotTiff', /looks like a text file/));
check('an empty file is not a TIFF', () => refused(inspect(new Uint8Array(0)), 'NotTiff', /an empty file/));
check('a truncated file is damaged', () => refused(createCog(bytes.subarray(0, bytes.length >> 1)), 'Corrupt', /./));
check('a truncated file is damaged for shards too', async () => {
  const pixels = new Uint16Array(3000 * 4000).map((_, i) => (i * 2654435761) >>> 20);
  const whole = await encodeCog(pixels, { width: 3000, height: 4000 }, { compress: 'none', overviews: 'none', threads: 1 });
  await refused(createCog(whole.subarray(0, whole.length - 100_000), { threads: 3 }), 'Corrupt', /./);
});
check('a Blob that can no longer be read is a read error', async () => {
  const path = join(folder, 'gone.tif');
  await writeFile(path, bytes);
  const blob = await openAsBlob(path);
  await writeFile(path, bytes.subarray(0, 1000));
  await refused(createCog(blob), 'Io', /cannot read the input/);
});
check('rows of tiles that exceed a module are rejected', () => refused(encodeCogSize(2_000_000), 'Limit', /smaller blocksize/));
/** Encodes a header-only image that is far too wide. */
async function encodeCogSize(width) {
  const file = sparse(width);
  return createCog(file);
}
/** Returns a sparse TIFF, with one left-out strip per row of tiles. */
function sparse(width) {
  const tags = [[256, 4, width], [257, 4, 2048], [258, 3, 64], [259, 3, 1], [262, 3, 1], [273, 4, 0], [277, 3, 1], [278, 4, 2048], [279, 4, 0], [339, 3, 3]];
  const view = new DataView(new ArrayBuffer(8 + 2 + tags.length * 12 + 4));
  view.setUint32(0, 0x2a4949, true);
  view.setUint16(0, 0x4949, true);
  view.setUint16(2, 42, true);
  view.setUint32(4, 8, true);
  view.setUint16(8, tags.length, true);
  tags.forEach(([tag, type, value], i) => {
    view.setUint16(10 + i * 12, tag, true);
    view.setUint16(12 + i * 12, type, true);
    view.setUint32(14 + i * 12, 1, true);
    if (type === 3) view.setUint16(18 + i * 12, value, true);
    else view.setUint32(18 + i * 12, value, true);
  });
  return new Uint8Array(view.buffer);
}
check('an encoding can be stopped', async () => {
  const control = new AbortController();
  const pixels = new Float32Array(2000 * 6000).map((_, i) => Math.sin(i / 777));
  const watch = { signal: control.signal, progress: ({ rowsDone }) => rowsDone > 0 && control.abort() };
  await refused(encodeCog(pixels, { width: 2000, height: 6000 }, {}, watch), 'Cancelled', /cancelled/);
  await refused(encodeCog(pixels, { width: 2000, height: 6000 }, {}, { signal: AbortSignal.abort() }), 'Cancelled', /cancelled/);
});
check('a failing output is a write error, and no stream stays open', async () => {
  const broken = new WritableStream({ write: () => Promise.reject(new Error('the disk is full')) });
  await refused(createCogTo(broken, bytes), 'Io', /the disk is full/);
  let aborted;
  await refused(createCogTo(new WritableStream({ abort: (reason) => (aborted = reason) }), bytes, { level: 99 }), 'InvalidOption', /99/);
  assert.equal(aborted.option, 'level');
});
check('arrays are checked', async () => {
  const image = { width: 4, height: 3 };
  await refused(encodeCog(new Uint8Array(11), image), 'PixelCount', /expected 12, got 11/);
  await refused(encodeCog(new Uint8Array(12), { height: 3 }), 'InvalidOption', /width is missing/);
  await refused(encodeCog(new Float32Array(12), { ...image, dtype: 'u8' }), 'InvalidImage', /Float32Array/);
  await refused(encodeCog([1, 2, 3], image), 'InvalidImage', /typed array/);
  await refused(encodeCog(new Uint8Array(12), { ...image, size: 3 }), 'InvalidOption', /'size'/);
  await refused(encodeCog(new Uint8Array(12), image, { nodata: 3 }), 'InvalidOption', /second argument/, { option: 'nodata' });
  await refused(encodeCog(new Uint8Array(12), { ...image, crs: 'EPSG:9' }), 'InvalidOption', /EPSG:9/, { option: 'crs' });
});
check('arrays of every kind round-trip', async () => {
  const kinds = [Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array, BigUint64Array, BigInt64Array];
  for (const Kind of kinds) {
    const big = Kind === BigUint64Array || Kind === BigInt64Array;
    const pixels = new Kind(40 * 30).map((_, i) => (big ? BigInt(i) : i % 120));
    const cog = await encodeCog(pixels, { width: 40, height: 30, crs: 'EPSG:32633', transform: [500000, 10, 0, 4600000, 0, -10], nodata: big ? 5n : 5 });
    const info = await inspect(cog);
    assert.equal(info.nodata, '5');
    assert.equal(info.crs, 'EPSG:32633');
    assert.deepEqual(info.bounds, [500000, 4599700, 500400, 4600000]);
    assert.ok((await validateCog(cog)).valid);
  }
});
check('band layout, a mask, and a data type by name', async () => {
  const pixel = new Uint16Array(64 * 48 * 2).map((_, i) => i % 4000);
  const band = new Uint16Array(pixel.length);
  pixel.forEach((value, i) => (band[(i % 2) * 64 * 48 + (i >> 1)] = value));
  const mask = new Uint8Array(64 * 48).map((_, i) => (i % 7 === 0 ? 0 : 255));
  const image = { width: 64, height: 48, bands: 2, mask };
  const a = await encodeCog(pixel, image);
  const b = await encodeCog(band, { ...image, layout: 'band' });
  const c = await encodeCog(new Uint8Array(pixel.buffer), { ...image, dtype: 'u16' });
  assert.deepEqual(a, b);
  assert.deepEqual(a, c);
  assert.equal((await inspect(a)).mask, true);
});
check('previews are colors', async () => {
  const pixels = new Uint8Array(32 * 16 * 3).map((_, i) => [200, 100, 50][i % 3]);
  const picture = await preview(await encodeCog(pixels, { width: 32, height: 16, bands: 3 }), 0);
  assert.equal(picture.pixels.length, 32 * 16 * 4);
  assert.deepEqual([...picture.pixels.subarray(0, 4)], [200, 100, 50, 255]);
  const cog = await createCog(fixture);
  const full = await preview(cog, 0);
  assert.ok(full.range[0] < full.range[1]);
  assert.ok(full.pixels.some((value, i) => i % 4 === 3 && value === 0), 'nodata is transparent');
  await refused(preview(cog, 9), 'InvalidOption', /no level 9/, { option: 'level' });
});
check('warnings are printed', async () => {
  const told = [];
  const { warn } = console;
  console.warn = (text) => told.push(text);
  try {
    await createCog(fixture, { bounds: [0, 0, 1, 1] });
    await createCog(fixture, { image: 1 });
  } finally {
    console.warn = warn;
  }
  assert.ok(told.every((text) => text.startsWith('cogsmith: ')));
});
check('options for metadata and georeferencing', async () => {
  const cog = await createCog(bytes, {
    bounds: [10, 40, 20, 50], bandScale: 0.5, bandOffset: 3, bandUnit: 'm', bandDescription: ['height'], metadata: { AREA: 'north', 'MINE:KEY': 'value' }, stats: true, pixelIs: 'point',
  });
  const info = await inspect(cog);
  assert.deepEqual(info.bounds, [10, 40, 20, 50]);
  const items = info.metadata.map(({ name, domain, value }) => `${domain}:${name}=${value}`);
  for (const item of [':AREA=north', 'MINE:KEY=value']) assert.ok(items.includes(item), items.join(' '));
  assert.ok(items.some((item) => item.includes('STATISTICS_MEAN')), items.join(' '));
});

let failed = 0;
for (const [name, run] of cases) {
  try {
    await run();
    console.log(JSON.stringify({ case: name, ok: true }));
  } catch (error) {
    failed += 1;
    console.log(JSON.stringify({ case: name, ok: false, error: String(error?.stack ?? error) }));
  }
}
rmSync(folder, { recursive: true });
process.exit(failed === 0 ? 0 : 1);
