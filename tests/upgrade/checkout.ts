/** The code of an earlier commit in a folder of its own, with the packages of this checkout where they are the same. */
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { root } from '../../tools/run-tool.ts';

const git = async (...args: string[]): Promise<string> => (await execa('git', args, { cwd: root })).stdout.trim();

/** The newest tag, which is the last release, or the commit before this one where there is no tag. */
const lastRelease = () => git('describe', '--tags', '--abbrev=0').catch(() => 'HEAD~1');

/**
 * The full name of a commit: of the last release, if none is named.
 *
 * @throws {Error} when this is no checkout, or one without that commit.
 */
export const commitOf = async (name?: string): Promise<string> => {
  if (!existsSync(join(root, '.git'))) throw new Error('This is no checkout of git, so no earlier version can be had.');
  const wanted = name ?? (await lastRelease());
  return git('rev-parse', '--verify', '--quiet', `${wanted}^{commit}`).catch(() => {
    throw new Error(`There is no commit ${wanted} in this checkout. A shallow clone lacks it: git fetch --unshallow`);
  });
};

const dependenciesIn = (folder: string): Record<string, string> =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).dependencies;

const givePackages = async (folder: string): Promise<void> => {
  const own = dependenciesIn(root);
  const isHere = Object.entries(dependenciesIn(folder)).every(([name, version]) => own[name] === version);
  if (isHere) symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  else await execa('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder });
};

export type Checkout = { folder: string; commit: string; [Symbol.dispose](): void };

/** An archive, not a worktree: a run that is killed leaves nothing in the repository. */
export const checkOut = async (commit: string): Promise<Checkout> => {
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-version-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const archive = `${folder}/archive.tar`;
    await git('archive', '--format=tar', `--output=${archive}`, commit);
    await execa('tar', ['-xf', archive, '-C', folder]);
    rmSync(archive);
    await givePackages(folder);
    return { folder, commit, [Symbol.dispose]: remove };
  } catch (error) {
    remove();
    throw error;
  }
};
