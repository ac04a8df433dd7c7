/** A program that is built from its Go module once, into a cache outside the repository. */
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { execa } from 'execa';
import { findBinary } from '../../tools/services/processes.ts';

const cache = join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'lanekeeper', 'programs');
const buildTimeoutMs = 480_000;

const findGo = (): string | undefined => findBinary('go', ['/usr/local/go/bin']);

/** Why the program cannot be had here; `undefined` when it can be tried. */
export const whyNoGoProgram = (name: string): string | undefined =>
  findBinary(name, [cache]) || findGo() ? undefined : `${name} is not installed, and there is no Go to build it with`;

/**
 * The path of the program: the installed one, or the one in the cache, which is built first if it is not there.
 *
 * @param source the module of its `main` package with its version.
 */
export const goProgram = async (name: string, source: string): Promise<string> => {
  const found = findBinary(name, [cache]);
  if (found) return found;
  mkdirSync(cache, { recursive: true });
  await execa(findGo() ?? 'go', ['install', source], { env: { GOBIN: cache }, timeout: buildTimeoutMs });
  const built = join(cache, name);
  if (!existsSync(built)) throw new Error(`go install ${source} made no ${built}.`);
  return built;
};
