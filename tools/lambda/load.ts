/**
 * Loads a function in the image `functions`, where all of them are one script beside this file: V8 keeps the compiled code of everything
 * in a script that has run. Node's own cache has only what is compiled before a module runs, and loads half as fast.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { emitWarning } from 'node:process';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { showSources } from './sources.ts';

const file = join(dirname(fileURLToPath(import.meta.url)), 'all.cjs');
const compiledFile = `${file}.compiled`;

/** By the name of its file, each function with its exports. */
type Functions = Record<string, () => object>;

const prepare = () => {
  const cachedData = existsSync(compiledFile) ? readFileSync(compiledFile) : undefined;
  // esbuild writes nothing but ASCII, and V8 reads these letters fastest.
  const code = `(function (exports, require, module, __filename) {\n${readFileSync(file, 'latin1')}\n})`;
  const script = new Script(code, { filename: file, lineOffset: -1, cachedData });
  if (script.cachedDataRejected)
    emitWarning('The compiled code of the functions is not for this Node and its options: they start slowly.');
  const loaded: { exports: Functions } = { exports: {} };
  script.runInThisContext()(loaded.exports, createRequire(file), loaded, file);
  return { script, functions: loaded.exports };
};

/** @returns what the function's file exports. */
export const load = (name: string): object | undefined => {
  showSources(file);
  return prepare().functions[name]?.();
};

/** In the build of the image: loads all functions and writes their compiled code. */
export const compile = (): void => {
  const { script, functions } = prepare();
  for (const one of Object.values(functions)) one();
  writeFileSync(compiledFile, script.createCachedData());
};
