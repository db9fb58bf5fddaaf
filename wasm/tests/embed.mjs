// Drives the module of examples/wasm-embed: node embed.mjs MODULE FOLDER INPUT...
// Writes the COG of each input to FOLDER and prints a line of JSON for each; damaged copies of the inputs must be rejected
// or converted, and never end in a trap.
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { load } from '../../examples/wasm-embed/convert.mjs';

const [path, folder, ...inputs] = process.argv.slice(2);
const imports = WebAssembly.Module.imports(await WebAssembly.compile(await readFile(path)));
console.log(JSON.stringify({ imports: imports.map(({ module, name }) => `${module}.${name}`) }));

/** Truncated copies, and copies with a changed byte: across the whole file, and densely at its start, where the directories are. */
function* damaged(bytes) {
  for (let step = 0; step < 24; step++) {
    yield bytes.slice(0, Math.floor((bytes.length * step) / 24));
    for (const range of [bytes.length, Math.min(bytes.length, 512)]) {
      const copy = bytes.slice();
      copy[Math.floor((range * step) / 24)] ^= 0xff >> step % 8;
      yield copy;
    }
  }
}

let toCog = await load(path);
for (const input of inputs) {
  const bytes = await readFile(input);
  const result = { file: basename(input), converted: 0, refused: 0, traps: [] };
  await writeFile(join(folder, result.file), toCog(bytes));
  for (const copy of damaged(bytes)) {
    try {
      toCog(copy);
      result.converted++;
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) {
        result.traps.push(String(error.stack));
        toCog = await load(path);
      } else if (error.message) {
        result.refused++;
      } else {
        result.traps.push('an error without a message');
      }
    }
  }
  console.log(JSON.stringify(result));
}
