import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Builds the service worker, which needs the names of all files, and a version that changes with any of them. */
const serviceWorker = {
  name: 'service-worker',
  apply: 'build',
  generateBundle(_, bundle) {
    const hash = createHash('sha256');
    const files = ['./'];
    for (const [name, file] of Object.entries(bundle).sort(([a], [b]) => (a < b ? -1 : 1))) {
      files.push(`./${name}`);
      hash.update(name).update(file.type === 'chunk' ? file.code : file.source);
    }
    for (const name of readdirSync(here('public'))) {
      files.push(`./${name}`);
      hash.update(readFileSync(here(`public/${name}`)));
    }
    const source = readFileSync(here('src/sw.js'), 'utf8')
      .replace('__VERSION__', hash.digest('hex').slice(0, 16))
      .replace('__FILES__', JSON.stringify(files.filter((file) => file !== './index.html')));
    this.emitFile({ type: 'asset', fileName: 'sw.js', source });
  },
};

export default defineConfig({
  root: here('.'),
  // Works from any folder.
  base: './',
  resolve: { alias: { cogsmith: here('../pkg/web.js') } },
  worker: { format: 'es' },
  build: { outDir: here('../dist'), emptyOutDir: true, target: 'es2022' },
  plugins: [serviceWorker],
});
