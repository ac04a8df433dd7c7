/** `npm run services [-- --build-standin]` and `npm run services:stop`. */
import { join } from 'node:path';
import { argv, env, stderr, stdout } from 'node:process';
import { ensureServices, stopServices } from './ensure.ts';
import { buildStandin } from './standin.ts';

const root = join(import.meta.dirname, '..', '..');
const say = (line: string): void => void stdout.write(`${line}\n`);

const run = async (): Promise<void> => {
  if (argv.includes('--stop')) return stopServices({ root, say }, ['rabbitmq', 'mongodb']);
  if (argv.includes('--build-standin')) {
    say('mongodb   building the stand-in; this takes 6 to 12 minutes, once');
    say(`mongodb   built ${await buildStandin(root)}`);
  }
  await ensureServices({ root, env, say });
};

try {
  await run();
} catch (error) {
  stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
