// The page: describes a file, takes options, creates a COG, and describes it. All work is done in workers.
import { CogError, codecs, createCog, createCogTo, inspect, preview, validateCog, type Codec, type CreateOptions, type Info, type Report, type Summary } from 'cogsmith';
import { bytes, count, crs, pixels } from './text.js';

declare global {
  interface Window {
    showSaveFilePicker?: (options: { suggestedName: string; types: { description: string; accept: Record<string, string[]> }[] }) => Promise<FileSystemFileHandle>;
  }
}

/** Maximum side of a preview in pixels. */
const MOST_SIDE = 2048;

function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no element '${id}'`);
  return found as T;
}

const form = element<HTMLFormElement>('options');
const chosen = element<HTMLInputElement>('file');
const download = element<HTMLAnchorElement>('download');
const progress = element<HTMLProgressElement>('progress');
const canvas = element<HTMLCanvasElement>('canvas');

let file: File | undefined;
let running: AbortController | undefined;
/** Counts files and encodings: results of earlier ones are dropped. */
let turn = 0;

function show(id: string, visible = true): void {
  element(id).hidden = !visible;
}

function say(text: string): void {
  element('status').textContent = text;
}

function fail(what: string, error: unknown): void {
  const box = element('error');
  const title = document.createElement('strong');
  title.textContent = what;
  const message = error instanceof Error ? error.message : String(error);
  box.replaceChildren(title, `${message.charAt(0).toUpperCase()}${message.slice(1)}.`);
  box.hidden = false;
  box.scrollIntoView({ block: 'nearest' });
}

function items(id: string, texts: string[]): void {
  const list = element(id);
  list.replaceChildren(...texts.map((text) => Object.assign(document.createElement('li'), { textContent: text })));
  list.hidden = texts.length === 0;
}

/** Shows a description of the file. */
function describe(name: string, info: Info): void {
  const full = info.levels[0];
  const facts: [string, string][] = [
    ['Name', name],
    ['Size', `${bytes(info.bytes)}${info.bigTiff ? ', BigTIFF' : ''}`],
    ['Pixels', `${pixels(info.width, info.height)}, ${count(info.bands, 'band')} of ${info.dataType}${info.color === 'gray' ? '' : `, ${info.color}`}`],
    ['Coordinates', crs(info)],
    ['Compression', full === undefined ? 'unknown' : `${full.compression}${full.predictor === 'none' ? '' : `, predictor ${full.predictor}`}, ${full.tiled ? `tiles of ${pixels(full.tileWidth, full.tileHeight)}` : `strips of ${count(full.tileHeight, 'row')}`}`],
    ['Overviews', info.levels.length > 1 ? String(info.levels.length - 1) : 'none'],
    ['Nodata', `${info.nodata ?? 'none'}${info.mask ? ', with a mask' : ''}`],
  ];
  if (info.gdalLayout) facts.push(['Layout', 'already a COG layout']);
  element('facts').replaceChildren(
    ...facts.flatMap(([term, text]) => [Object.assign(document.createElement('dt'), { textContent: term }), Object.assign(document.createElement('dd'), { textContent: text })]),
  );
}

async function choose(next: File): Promise<void> {
  running?.abort();
  const mine = ++turn;
  file = undefined;
  ['error', 'input', 'options', 'result'].forEach((id) => show(id, false));
  items('warnings', []);
  say(`Reading ${next.name}`);
  try {
    const [info] = await Promise.all([inspect(next), listed ?? list()]);
    if (mine !== turn) return;
    file = next;
    describe(next.name, info);
    element('drop').classList.add('small');
    element('choose').textContent = 'Choose another';
    show('input');
    show('options');
    say(`${next.name} is ready: ${pixels(info.width, info.height)}.`);
    element('create').focus({ preventScroll: true });
  } catch (error) {
    const found = error instanceof CogError && error.kind === 'Corrupt' ? await damage(next) : undefined;
    if (mine === turn) fail(`${next.name} can't be read`, found ?? error);
  }
}

/** Returns the reason that a file cannot be read, if validation finds it. */
async function damage(of: File): Promise<string | undefined> {
  try {
    const { findings } = await validateCog(of, { quick: true });
    const worst = findings.find(({ severity }) => severity === 'error');
    return worst && `${worst.message}; ${worst.remedy}`;
  } catch {
    // The file cannot be validated: the first error message remains.
    return undefined;
  }
}

/** Returns the options of the form; some defaults are left out. */
function options(): CreateOptions {
  const data = new FormData(form);
  const text = (name: string): string => String(data.get(name) ?? '').trim();
  const wanted: Record<string, unknown> = { compress: text('compress'), blocksize: Number(text('blocksize')) };
  // Disabled fields are not in the form's data.
  for (const name of ['predictor', 'interleave', 'overviews', 'bigtiff', 'mask']) if (data.has(name)) wanted[name] = text(name);
  if (data.has('overviewResampling') && text('overviewResampling') !== 'auto') wanted.overviewResampling = text('overviewResampling');
  const parameter = codec()?.parameter;
  if (parameter && text('level') !== '') wanted[parameter.name] = Number(text('level'));
  if (text('nodata') !== '') wanted.nodata = text('nodata');
  if (data.has('stats')) wanted.stats = true;
  return wanted as CreateOptions;
}

function busy(yes: boolean): void {
  element<HTMLFieldSetElement>('fields').disabled = yes;
  element<HTMLButtonElement>('create').disabled = yes;
  show('cancel', yes);
  show('running', yes);
}

function cogName(name: string): string {
  return `${name.replace(/\.(tiff?|gtiff|geotiff|btf|tf8)$/i, '')}.cog.tif`;
}

async function create(input: File): Promise<void> {
  const mine = ++turn;
  const control = new AbortController();
  running = control;
  let summary: Summary | undefined;
  const warnings: string[] = [];
  let said = -1;
  const watch = {
    signal: control.signal,
    warning: (text: string) => warnings.push(text),
    summary: (made: Summary) => (summary = made),
    progress: ({ rowsDone, rows }: { rowsDone: number; rows: number }) => {
      progress.value = rowsDone / rows;
      const tenth = Math.floor((10 * rowsDone) / rows);
      element('progress-label').textContent = `Encoding: row ${rowsDone.toLocaleString()} of ${rows.toLocaleString()}`;
      if (tenth > said) say(`${10 * (said = tenth)} %`);
    },
  };
  show('error', false);
  show('result', false);
  progress.value = 0;
  element('progress-label').textContent = 'Encoding';
  try {
    const wanted = options();
    let handle: FileSystemFileHandle | undefined;
    if (new FormData(form).has('direct') && window.showSaveFilePicker !== undefined) {
      const types = [{ description: 'Cloud Optimized GeoTIFF', accept: { 'image/tiff': ['.tif', '.tiff'] } }];
      handle = await window.showSaveFilePicker({ suggestedName: cogName(input.name), types });
    }
    busy(true);
    const began = performance.now();
    let cog: Blob;
    if (handle === undefined) {
      cog = await createCog(input, wanted, watch);
    } else {
      await createCogTo(await handle.createWritable(), input, wanted, watch);
      cog = await handle.getFile();
    }
    if (mine !== turn) return;
    items('warnings', warnings);
    await present(mine, input, cog, summary, (performance.now() - began) / 1000, handle?.name);
  } catch (error) {
    // Cancelled by the user, here or in the system's dialog, or by choosing another file.
    const cancelled = (error instanceof CogError && error.kind === 'Cancelled') || (error instanceof DOMException && error.name === 'AbortError');
    if (cancelled) say('Cancelled');
    else if (mine === turn) fail('No COG was created', error);
  } finally {
    if (running === control) {
      running = undefined;
      busy(false);
    }
  }
}

/** Shows the result. */
async function present(mine: number, input: File, cog: Blob, summary: Summary | undefined, seconds: number, saved: string | undefined): Promise<void> {
  URL.revokeObjectURL(download.href);
  download.hidden = saved !== undefined;
  if (saved === undefined) {
    download.href = URL.createObjectURL(cog);
    download.download = cogName(input.name);
    download.textContent = `Download ${bytes(cog.size)}`;
  }
  const ratio = summary === undefined ? '' : `, ratio ${(summary.uncompressedBytes / cog.size).toFixed(1)}`;
  const change = Math.round((cog.size / input.size) * 100);
  element('headline').textContent = `${bytes(cog.size)}${ratio}, ${change} % of your file, in ${seconds.toFixed(1)} s${saved === undefined ? '' : `, saved as ${saved}`}`;
  element('verdict').textContent = 'Validating…';
  element('verdict').className = '';
  items('findings', []);
  element('levels').replaceChildren();
  element('caption').textContent = '';
  show('result');
  const info = await inspect(cog);
  if (mine !== turn) return;
  element('levels').replaceChildren(
    ...info.levels.map((level, index) => {
      const row = document.createElement('tr');
      const ratio = level.bytes > 0 ? (level.uncompressedBytes / level.bytes).toFixed(1) : '–';
      const cells = [index === 0 ? 'full' : String(index), pixels(level.width, level.height), level.tiles.toLocaleString(), bytes(level.bytes + level.maskBytes), ratio];
      row.append(...cells.map((text) => Object.assign(document.createElement('td'), { textContent: text })));
      return row;
    }),
  );
  const [report] = await Promise.all([validateCog(cog), draw(mine, cog, info)]);
  if (mine !== turn) return;
  judge(report);
  element('result-title').focus({ preventScroll: true });
}

function judge(report: Report): void {
  const verdict = element('verdict');
  const looked = `${count(report.tilesDecoded, 'tile')} decoded, ${count(report.cellsCompared, 'overview pixel')} compared`;
  const found = [report.errors > 0 && count(report.errors, 'error'), report.warnings > 0 && count(report.warnings, 'warning'), report.notes > 0 && count(report.notes, 'note')];
  const list = found.filter((text) => text !== false).join(', ');
  verdict.textContent = `${report.valid ? '✓ Valid Cloud Optimized GeoTIFF' : '✗ Not a valid Cloud Optimized GeoTIFF'}: ${list === '' ? 'no findings' : list}; ${looked}.`;
  verdict.className = report.valid ? 'good' : 'bad';
  items('findings', report.findings.map((finding) => `${finding.severity}: ${finding.message} (${finding.rule}); ${finding.remedy}`));
  say(`Done. ${verdict.textContent}`);
}

/** Draws the levels, smallest first, up to the largest one that fits the canvas. */
async function draw(mine: number, cog: Blob, info: Info): Promise<void> {
  const shown = info.levels.map((level, index) => ({ ...level, index })).filter(({ width, height }) => Math.max(width, height) <= MOST_SIDE);
  const largest = shown[0];
  const context = canvas.getContext('2d');
  if (largest === undefined || context === null) {
    element('caption').textContent = 'No overview is small enough for a preview.';
    canvas.hidden = true;
    return;
  }
  canvas.hidden = false;
  canvas.width = largest.width;
  canvas.height = largest.height;
  let range: [number, number] | undefined;
  for (const level of shown.reverse()) {
    const picture = await preview(cog, level.index, range);
    if (mine !== turn) return;
    range = picture.range;
    const bitmap = await createImageBitmap(new ImageData(picture.pixels, picture.width, picture.height));
    context.imageSmoothingEnabled = false;
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    const name = level.index === 0 ? 'Full resolution' : `Overview ${level.index} of ${info.levels.length - 1}`;
    element('caption').textContent = `${name}, ${pixels(level.width, level.height)}`;
    canvas.setAttribute('aria-label', `Preview of the COG: ${name}, ${pixels(level.width, level.height)}`);
  }
}

chosen.addEventListener('change', () => {
  const next = chosen.files?.[0];
  if (next !== undefined) void choose(next);
  // Allows choosing the same file again, after it has changed.
  chosen.value = '';
});
addEventListener('dragover', (event) => {
  event.preventDefault();
  document.body.classList.add('over');
});
addEventListener('dragleave', (event) => {
  if (event.relatedTarget === null) document.body.classList.remove('over');
});
addEventListener('drop', (event) => {
  event.preventDefault();
  document.body.classList.remove('over');
  const next = event.dataTransfer?.files[0];
  if (next !== undefined) void choose(next);
});
form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (file !== undefined && running === undefined) void create(file);
});
element('cancel').addEventListener('click', () => running?.abort());

const compress = form.elements.namedItem('compress') as HTMLSelectElement;
const level = form.elements.namedItem('level') as HTMLInputElement;
const predictor = form.elements.namedItem('predictor') as HTMLSelectElement;
const overviews = form.elements.namedItem('overviews') as HTMLSelectElement;
const resampling = form.elements.namedItem('overviewResampling') as HTMLSelectElement;
/** The codecs of the module, once it is loaded. */
let listed: Codec[] | undefined;

function codec(): Codec | undefined {
  return listed?.find(({ name }) => name === compress.value);
}

/** Lists the codecs in the form. */
async function list(): Promise<void> {
  listed = await codecs();
  const text = ({ name, missingIn }: Codec): string => `${name.toUpperCase()}: ${missingIn.length === 0 ? 'supported everywhere' : `not supported by ${missingIn.join(', ')}`}`;
  compress.replaceChildren(...listed.map((one) => new Option(text(one), one.name, one.isDefault, one.isDefault)));
  relate();
}

/** Adapts the fields to the codec: not all have an effort, and each has its own scale. */
function relate(): void {
  const current = codec();
  const parameter = current?.parameter;
  level.value = '';
  level.disabled = !parameter;
  level.min = String(parameter?.min ?? '');
  level.max = String(parameter?.max ?? '');
  level.placeholder = String(parameter?.default ?? 'none');
  predictor.disabled = !current?.takesPredictor;
}
compress.addEventListener('change', relate);
overviews.addEventListener('change', () => (resampling.disabled = overviews.value === 'none'));
show('direct-label', window.showSaveFilePicker !== undefined);

if ('serviceWorker' in navigator && import.meta.env.PROD) {
  // Without a service worker, the page works, but not offline.
  navigator.serviceWorker.register('./sw.js').catch((error: unknown) => console.warn(`this page does not work offline: ${error}`));
}
