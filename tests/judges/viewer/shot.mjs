// Draws a COG in OpenLayers: node shot.mjs CHROMIUM PLAYWRIGHT FOLDER IMAGE.tif OUT.png
// FOLDER has OpenLayers in node_modules. The server answers ranges, as OpenLayers asks for them.
import { createServer } from 'node:http';
import { open, readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { pathToFileURL } from 'node:url';

const [executablePath, playwright, folder, image, out] = process.argv.slice(2);
const { chromium } = await import(pathToFileURL(playwright));
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.tif': 'image/tiff' };
const requests = [];
const problems = [];
const server = createServer(async (request, response) => {
  const path = normalize(new URL(request.url, 'http://localhost').pathname);
  if (path === '/favicon.ico') return response.writeHead(204).end();
  const file = path === '/' ? new URL('page.html', import.meta.url) : path === '/image.tif' ? image : join(folder, path);
  try {
    const type = { 'content-type': types[extname(String(file))] ?? 'application/octet-stream' };
    const range = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '');
    if (range === null) {
      const bytes = await readFile(file);
      return response.writeHead(200, type).end(bytes);
    }
    const handle = await open(file);
    const { size } = await handle.stat();
    const [first, last] = [Number(range[1]), Math.min(Number(range[2]), size - 1)];
    const bytes = Buffer.alloc(last - first + 1);
    await handle.read(bytes, 0, bytes.length, first);
    await handle.close();
    if (path === '/image.tif') requests.push(bytes.length);
    return response.writeHead(206, { ...type, 'content-range': `bytes ${first}-${last}/${size}` }).end(bytes);
  } catch {
    problems.push(`${path} is missing`);
    return response.writeHead(404).end();
  }
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await chromium.launch({
  executablePath,
  args: ['--headless', '--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--no-first-run'],
});
let code = 1;
try {
  const page = await browser.newPage({ viewport: { width: 900, height: 700 } });

  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction(() => document.title !== 'A COG in OpenLayers', undefined, { timeout: 30_000 }).catch(() => {});
  await page.waitForTimeout(500);
  await page.screenshot({ path: out });
  const title = await page.title();
  console.log(JSON.stringify({ title, problems, requests: requests.length, bytes: requests.reduce((sum, one) => sum + one, 0) }));
  code = title === 'drawn' && problems.length === 0 ? 0 : 1;
} finally {
  await browser.close();
  server.close();
}
process.exit(code);
