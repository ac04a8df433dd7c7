/** What the commands of tools/ have in common. */
import { join } from 'node:path';
import { exit, stderr, stdout } from 'node:process';
import { styleText } from 'node:util';

/** The folder of the checkout. */
export const root = join(import.meta.dirname, '..');

/** Prints a line under a name, in a column. */
export const say = (name: string, line: string): void =>
  void stdout.write(`${styleText('cyan', name.padEnd(9))} ${line}\n`);

/** Ends the process with the code that `run` returns, 0 by default; with 1 and the error's message when it fails. */
export const runTool = async (run: () => Promise<unknown>): Promise<never> => {
  const code = await run().catch((error) => {
    stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  });
  exit(typeof code === 'number' ? code : 0);
};
