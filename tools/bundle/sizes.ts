import { relative } from 'node:path';
import type { Metafile } from 'esbuild';

/** What each entry of a bundle loads when it starts, with the chunks: bytes of code by file, sorted by name. */
export const bytesOnLoad = ({ outputs }: Metafile, folder: string): [file: string, bytes: number][] => {
  const loadedBy = (file: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(file)) return seen;
    seen.add(file);
    for (const { path, kind } of outputs[file]?.imports ?? []) if (kind === 'import-statement') loadedBy(path, seen);
    return seen;
  };
  const bytes = (file: string): number =>
    [...loadedBy(file)].reduce((sum, loaded) => sum + (outputs[loaded]?.bytes ?? 0), 0);
  const entries = Object.keys(outputs).filter((file) => outputs[file]?.entryPoint);
  return entries
    .map((file): [string, number] => [relative(folder, file), bytes(file)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
};
