/** What the commands of tools/ have in common. */
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { cwd, exit, stderr, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';

/** The folder of the checkout. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[/\\]$/, '');

/** A page of the documentation as people can open it from where they are. `undefined` where it is not shipped, as in the images. */
export const docsFile = (name: string): string | undefined => {
  const file = join(root, 'docs', name);
  if (!existsSync(file)) return undefined;
  const path = relative(cwd(), file);
  return path.startsWith('..') ? file : path;
};

/** Where programs that were downloaded for the servers of a folder are. */
export const programsOf = (folder: string): string =>
  folder === root ? join(root, '.build') : join(folder, '.data', 'programs');

const sayOn =
  (stream: NodeJS.WriteStream) =>
  (name: string, line: string): void =>
    void stream.write(
      `${styleText('cyan', name.padEnd(9), { stream })} ${line.replaceAll('\n', `\n${' '.repeat(10)}`)}\n`,
    );

/** Prints a line under a name, in a column. */
export const say = sayOn(stdout);

/** The same where the output itself is for a program. */
export const sayAside = sayOn(stderr);

/** Ends the process with the code that `run` returns, 0 by default; with 1 and the error's message when it fails. */
export const runTool = async (run: () => Promise<unknown>): Promise<never> => {
  const code = await run().catch((error) => {
    stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  });
  // A pipe may not have taken everything yet, and `exit` does not wait for it.
  await Promise.all([stdout, stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))));
  exit(typeof code === 'number' ? code : 0);
};
