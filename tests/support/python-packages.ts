/** Python packages in an environment of their own, fetched once into a cache outside the repository. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { cacheOf } from './cache.ts';

const fetchTimeoutMs = 600_000;

/**
 * The folder with their programs, `python` among them, or why they cannot be had here.
 *
 * @param name of the environment, with the versions. @param what the packages are, for the reason.
 */
export const pythonPackages = async (
  name: string,
  what: string,
  packages: string[],
): Promise<{ bin: string } | { reason: string }> => {
  const folder = cacheOf(name);
  const [bin, complete] = [join(folder, 'bin'), join(folder, 'complete')];
  if (existsSync(complete)) return { bin };
  try {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(cacheOf(), { recursive: true });
    await execa('python3', ['-m', 'venv', folder]);
    const args = ['-m', 'pip', 'install', '--quiet', ...packages];
    await execa(join(bin, 'python'), args, { timeout: fetchTimeoutMs });
    writeFileSync(complete, packages.join('\n'));
    return { bin };
  } catch (error) {
    return { reason: `${what} need Python 3 with venv, and PyPI: ${String(error).split('\n')[0]}` };
  }
};
