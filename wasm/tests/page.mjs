// Uses the page as people do: node page.mjs CHROMIUM DIST OUT FILE.tif DAMAGED.tif
// Serves DIST, chooses files, saves downloads and screenshots to OUT, and goes offline at the end. Prints each observation to
// standard output as a line of JSON.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { basename, extname, join, normalize } from 'node:path';
import { chromium } from 'playwright-core';

const [executablePath, dist, out, file, damaged] = process.argv.slice(2);
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.svg': 'image/svg+xml' };
const server = createServer(async (request, response) => {
  const path = normalize(new URL(request.url, 'http://localhost').pathname);
  try {
    const bytes = await readFile(join(dist, path.endsWith('/') ? `${path}index.html` : path));
    response.writeHead(200, { 'content-type': types[extname(path.endsWith('/') ? '.html' : path)] ?? 'text/html' }).end(bytes);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = `http://127.0.0.1:${server.address().port}/`;

const say = (what, said = {}) => console.log(JSON.stringify({ what, ...said }));
const browser = await chromium.launch({
  executablePath,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
let code = 0;
try {
  const context = await browser.newContext({ viewport: { width: 1000, height: 1400 }, acceptDownloads: true, colorScheme: 'light' });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  const foreign = [];
  page.on('request', (request) => !request.url().startsWith(address) && !/^(blob|data):/.test(request.url()) && foreign.push(request.url()));

  await page.goto(address);
  await page.screenshot({ path: join(out, 'page-start.png') });

  // A file that cannot be read gives an error message, and the page keeps working.
  await page.setInputFiles('#file', damaged);
  await page.getByRole('alert').waitFor();
  const refused = await page.getByRole('alert').innerText();
  await page.screenshot({ path: join(out, 'page-error.png') });
  say('damaged', { refused });

  // The page stays responsive while workers are busy: frames continue.
  await page.setInputFiles('#file', file);
  await page.getByRole('button', { name: 'Create COG' }).waitFor();
  const facts = await page.locator('#facts').innerText();
  const hidden = await page.getByRole('alert').isHidden();
  await page.evaluate(() => {
    window.longest = 0;
    let last = performance.now();
    const frame = (now) => {
      window.longest = Math.max(window.longest, now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  // With the keyboard only.
  await page.getByRole('button', { name: 'Create COG' }).focus();
  await page.keyboard.press('Enter');
  await page.getByText('Valid Cloud Optimized GeoTIFF').first().waitFor();
  const longest = await page.evaluate(() => window.longest);
  await page.locator('#caption').filter({ hasText: /\S/ }).waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /^Download/ }).click()]);
  await download.saveAs(join(out, 'download.tif'));
  const drawn = await page.evaluate(() => {
    const canvas = document.querySelector('canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return { width: canvas.width, height: canvas.height, colors: new Set(new Uint32Array(data.buffer)).size };
  });
  const texts = await page.evaluate(() => ['headline', 'verdict', 'caption'].map((id) => document.getElementById(id).textContent));
  say('made', { facts, hidden, name: download.suggestedFilename(), drawn, texts, longest, levels: await page.locator('#levels tr').count() });
  await page.screenshot({ path: join(out, 'page-light.png'), fullPage: true });
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.screenshot({ path: join(out, 'page-dark.png'), fullPage: true });
  await page.emulateMedia({ colorScheme: 'light' });

  // Options reach the file, and an option that contradicts the file gives an error message.
  await page.getByLabel('Compression').selectOption('zstd');
  await page.getByLabel('Effort').fill('3');
  await page.getByRole('button', { name: 'Create COG' }).click();
  await page.locator('#verdict.good').waitFor();
  const [second] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /^Download/ }).click()]);
  await second.saveAs(join(out, 'download-zstd.tif'));
  // Without compression, there is no effort and no predictor.
  await page.getByLabel('Compression').selectOption('none');
  const fixed = await Promise.all(['Effort', 'Predictor'].map((label) => page.getByLabel(label).isDisabled()));
  await page.getByRole('button', { name: 'Create COG' }).click();
  await page.locator('#verdict.good').waitFor();
  const [plain] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /^Download/ }).click()]);
  await plain.saveAs(join(out, 'download-none.tif'));
  say('codecs', { listed: await page.getByLabel('Compression').locator('option').allInnerTexts(), fixed });
  await page.getByLabel('Compression').selectOption('deflate');
  await page.getByText('More options').click();
  await page.getByLabel('Nodata value').fill('99999999');
  await page.getByRole('button', { name: 'Create COG' }).click();
  await page.getByRole('alert').waitFor();
  say('contradiction', { refused: await page.getByRole('alert').innerText() });

  // For screen readers, every field has a name.
  const nameless = await page.evaluate(() => [...document.querySelectorAll('input, select, button, a, canvas, progress')]
    .filter((one) => !one.labels?.length && !one.ariaLabel && !one.textContent.trim()).map((one) => one.outerHTML));
  say('names', { nameless });

  // Offline: without the server, the page still loads and works.
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await page.reload();
  await page.setInputFiles('#file', file);
  await page.getByRole('button', { name: 'Create COG' }).click();
  await page.locator('#verdict.good').waitFor();
  const [third] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /^Download/ }).click()]);
  await third.saveAs(join(out, 'download-offline.tif'));
  say('offline');
  say('end', { problems, foreign, file: basename(file) });
} catch (error) {
  code = 1;
  say('failed', { error: String(error?.stack ?? error) });
} finally {
  await browser.close();
  server.close();
}
process.exit(code);
