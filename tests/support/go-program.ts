/** Programs that are built from their Go modules once, into a cache outside the repository. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { findBinary } from '../../tools/services/processes.ts';
import { cacheOf } from './cache.ts';

/** The largest take minutes on a slow machine. */
const buildTimeoutMs = 900_000;

const findGo = (): string | undefined => findBinary('go', ['/usr/local/go/bin']);

/** Each version has a folder of its own. */
const folderOf = (name: string, source: string): string => cacheOf('programs', `${name}-${source.split('@')[1]}`);

/** Why the program cannot be had here; `undefined` when it can be tried. */
export const whyNoGoProgram = (name: string, source: string): string | undefined =>
  findBinary(name, [folderOf(name, source)]) || findGo()
    ? undefined
    : `${name} is not installed, and there is no Go to build it with`;

/**
 * The path of the program: the one in the cache, or the installed one. Without either it is built.
 *
 * @param source the module of its `main` package with its version.
 */
export const goProgram = async (name: string, source: string): Promise<string> => {
  const folder = folderOf(name, source);
  const found = findBinary(name, [folder]);
  if (found) return found;
  mkdirSync(folder, { recursive: true });
  await execa(findGo() ?? 'go', ['install', source], { env: { GOBIN: folder }, timeout: buildTimeoutMs });
  const built = join(folder, name);
  if (!existsSync(built)) throw new Error(`go install ${source} made no ${built}.`);
  return built;
};
