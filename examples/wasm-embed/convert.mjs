// Runs the module in Node: node convert.mjs wasm_embed.wasm scene.tif scene-cog.tif
import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';

/** Loads the module and returns a function from the bytes of a GeoTIFF to those of a COG. */
export async function load(module) {
  const { instance } = await WebAssembly.instantiate(await readFile(module), {});
  const { memory, input, convert, output } = instance.exports;
  return (geotiff) => {
    // The call may grow the memory, which replaces its buffer.
    const start = input(geotiff.length) >>> 0;
    new Uint8Array(memory.buffer, start, geotiff.length).set(geotiff);
    const length = convert();
    const bytes = new Uint8Array(memory.buffer, output() >>> 0, Math.abs(length)).slice();
    if (length < 0) throw new Error(new TextDecoder().decode(bytes));
    return bytes;
  };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [module, from, to] = process.argv.slice(2);
  const toCog = await load(module);
  await writeFile(to, toCog(await readFile(from)));
}
