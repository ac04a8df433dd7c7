/** The files whose edits call for a reload. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { cwd } from 'node:process';
import { type FSWatcher, watch } from 'chokidar';

/** Editors and compilers write several files at once. */
const quietMs = 60;

const code = /\.([cm]?[jt]s|json|wasm|node)$/;

/** Node's packages, and folders such as .git and .data. */
const isForeign = (path: string): boolean => /^(node_modules|coverage|\..+)$/.test(basename(path));

/**
 * The nearest folder above a file that has a package.json; without one, the folder of the file. The search ends at the folder `top`: a
 * home folder may have a package.json, and is too large to watch.
 */
export const projectOf = (file: string, top = cwd()): string => {
  const own = dirname(resolve(file));
  for (let folder = own; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (!folder.startsWith(top + sep)) return own;
  }
};

/** @param onEdit called with the file that changed last, once nothing has changed for a moment. */
export const watchCode = (folders: string[], onEdit: (file: string) => void): FSWatcher => {
  const roots = folders.map((folder) => resolve(folder));
  const ignored = (path: string): boolean => {
    if (roots.includes(path)) return false;
    if (isForeign(path)) return true;
    return !code.test(path) && (statSync(path, { throwIfNoEntry: false })?.isFile() ?? false);
  };
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(roots, { ignored, ignoreInitial: true });
  watcher.on('all', (_event, path) => {
    if (!code.test(path)) return;
    clearTimeout(timer);
    timer = setTimeout(() => onEdit(path), quietMs);
  });
  return watcher;
};
