/** The console of a checkout is built when it starts, in about a second. The package contains it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { execa } from 'execa';
import { root } from '../run-tool.ts';

/** In a process of its own, so that this one does not load the builder. Never rejects: without the console everything else works. */
export const buildConsole = async (say: (name: string, line: string) => void): Promise<void> => {
  const script = join(root, 'tools', 'bundle-console.ts');
  if (!existsSync(script)) return;
  const { failed, stderr } = await execa(execPath, ['--no-warnings', script], { reject: false });
  if (failed) say('console', `not built, the API works without it: ${stderr}`);
};
