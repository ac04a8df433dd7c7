import { readdir, readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { dirname, join, resolve } from 'node:path';

/** Every file below, except those of packages. Links are not followed. */
export const filesBelow = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.filter((file) => !file.slice(folder.length).includes('/node_modules/'));
};

/** `import x from 'a'`, `export { x } from 'a'`, `import 'a'`, `import('a')`; not `import type`. */
const specifiersIn = (code: string): string[] =>
  [
    ...code.matchAll(/^(?:import|export) (?!type )(?:[^'";]*? from )?['"]([^'"]+)['"];$/gm),
    ...code.matchAll(/import\(['"]([^'"]+)['"]\)/g),
  ].map(([, specifier = '']) => specifier);

/** The imports of a folder's code that lead to no file of it, to no module of Node and to none of these packages. */
export const unresolvedImports = async (folder: string, extension: string, packages: string[]): Promise<string[]> => {
  const files = await filesBelow(folder);
  const isKnown = (file: string, specifier: string): boolean => {
    if (specifier.startsWith('.')) return files.includes(resolve(dirname(file), specifier));
    const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? '';
    return name.startsWith('node:') || builtinModules.includes(name) || packages.includes(name);
  };
  const unresolved: string[] = [];
  for (const file of files.filter((one) => one.endsWith(extension)))
    for (const specifier of specifiersIn(await readFile(file, 'utf8')))
      if (!isKnown(file, specifier)) unresolved.push(`${file.slice(folder.length + 1)}: ${specifier}`);
  return unresolved;
};
