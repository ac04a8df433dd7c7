/** The files of the console, by Vite. Their names are fixed, so that no list of them is needed; a browser asks for each by its ETag. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pid } from 'node:process';
import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { root } from '../run-tool.ts';

const page = 'index.html';

/** Writes the files to `dist/console` of a folder, where `lib/http/console.ts` looks for them. Returns how many bytes a browser loads. */
export const buildConsole = async (folder: string): Promise<number> => {
  const target = join(folder, 'dist', 'console');
  const { output } = (await build({
    ...{ configFile: false, root: join(root, 'console'), logLevel: 'warn' },
    // Addresses from that of the page, whatever path is before it.
    base: './',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      ...{ write: false, target: 'es2022', modulePreload: false, cssCodeSplit: false, assetsInlineLimit: 0 },
      rolldownOptions: {
        output: {
          ...{ entryFileNames: 'console/console.js', assetFileNames: 'console/console[extname]', codeSplitting: false },
        },
      },
    },
  })) as Rolldown.RolldownOutput;
  const names = output.map(({ fileName }) => fileName).sort();
  if (names.join() !== ['console/console.css', 'console/console.js', page].join())
    throw new Error(`The console has no route for some of these files: ${names.join(', ')}`);
  mkdirSync(target, { recursive: true });
  let bytes = 0;
  for (const file of output) {
    const content = file.type === 'chunk' ? file.code : file.source;
    const name = file.fileName.replace('console/', '');
    // An API that is running reads the old file or the new one, never half of one.
    const unfinished = join(target, `.${name}.${pid}`);
    writeFileSync(unfinished, content);
    renameSync(unfinished, join(target, name));
    bytes += gzipSync(content).byteLength;
  }
  return bytes;
};
