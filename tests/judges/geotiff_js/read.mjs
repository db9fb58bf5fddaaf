// Reads files with geotiff.js: node read.mjs OUT FILE…
// Writes the samples of every image of FILE to OUT/NAME.IMAGE.raw, little-endian, bands together, and says on standard
// output, a line of JSON a file, what there is.
import { fromFile } from 'geotiff';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const [out, ...files] = process.argv.slice(2);
for (const file of files) {
  const said = { file: basename(file), images: [] };
  try {
    const tiff = await fromFile(file);
    const count = await tiff.getImageCount();
    for (let index = 0; index < count; index++) {
      const image = await tiff.getImage(index);
      const samples = await image.readRasters({ interleave: true });
      writeFileSync(join(out, `${said.file}.${index}.raw`), Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength));
      said.images.push({ width: image.getWidth(), height: image.getHeight(), bands: image.getSamplesPerPixel(), type: samples.constructor.name,
        nodata: image.getGDALNoData(), box: index === 0 ? image.getBoundingBox() : null });
    }
  } catch (error) {
    said.error = String(error);
  }
  console.log(JSON.stringify(said));
}
process.exit(0);
