/**
 * `npm run console:build [folder]`: the files of the console, by Vite. `lib/http/console.ts` serves them. Their names are fixed, so that the
 * gateway needs no list; a browser asks for each by its ETag.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argv, pid, stdout } from 'node:process';
import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { root } from './run-tool.ts';

const folder = resolve(argv[2] ?? join(root, 'dist', 'console'));

const built = (await build({
  ...{ configFile: false, root: join(root, 'console'), logLevel: 'warn' },
  // Addresses from that of the page, whatever path is before it.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    ...{ write: false, target: 'es2022', modulePreload: false, cssCodeSplit: false, assetsInlineLimit: 0 },
    rolldownOptions: {
      output: {
        entryFileNames: 'console/console.js',
        assetFileNames: 'console/console[extname]',
        codeSplitting: false,
      },
    },
  },
})) as Rolldown.RolldownOutput;

mkdirSync(folder, { recursive: true });
let bytes = 0;
for (const file of built.output) {
  const content = file.type === 'chunk' ? file.code : file.source;
  const name = file.fileName.replace(/^console\//, '');
  // An API that is running reads the old file or the new one, never half of one.
  const unfinished = join(folder, `.${name}.${pid}`);
  writeFileSync(unfinished, content);
  renameSync(unfinished, join(folder, name));
  bytes += gzipSync(content).byteLength;
}
stdout.write(`The console is in ${folder}: ${Math.ceil(bytes / 1000)} kB with gzip\n`);
