/** The tree of an older commit, to be measured beside this one. */
import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { root } from '../tools/run-tool.ts';

export type OlderTree = { name: string; checkout: string; remove(): Promise<void> };

const git = (...args: string[]) => execa('git', ['-C', root, ...args]);

/**
 * @param what a folder with a checkout and its packages, or a revision: then its files are put below `folder`, with this checkout's packages.
 * @throws {Error} when there is no such revision, as in a shallow clone.
 */
export const openOlderTree = async (what: string, folder: string): Promise<OlderTree> => {
  const isFolder = existsSync(join(what, 'functions', 'consumer.ts'));
  if (isFolder) return { name: 'lanekeeper-older', checkout: resolve(what), remove: async () => undefined };
  const checkout = join(folder, 'older');
  await git('worktree', 'add', '--detach', checkout, what).catch(() => {
    throw new Error(
      `This repository has no commit ${what}: fetch it, name a folder, or leave it out with --against none.`,
    );
  });
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
  return {
    name: `lanekeeper-${what}`,
    checkout,
    remove: async () => {
      rmSync(join(checkout, 'node_modules'));
      await git('worktree', 'remove', '--force', checkout);
    },
  };
};
