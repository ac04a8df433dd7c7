/**
 * Loaded with --import into the processes that `npm start` runs, and into the processes that those start. Their standard input
 * is a pipe that only `npm start` holds. When it ends in whatever way, SIGKILL included, the pipe closes, and they end too: what
 * is left would go on running requests, with the code and the settings of the start before.
 */
import type { Socket } from 'node:net';
import process, { stdin } from 'node:process';

/** Time to hand the lanes over. Then the requests that still run are interrupted, and run again at the next start. */
const graceMs = 3_000;

/** The child of `npm start` itself leads a process group with all that it started. */
const leads = process.channel === undefined;

const killAll = (): void => {
  try {
    if (leads) process.kill(-process.pid, 'SIGKILL');
  } finally {
    process.kill(process.pid, 'SIGKILL');
  }
};

const onEnd = (): void => {
  // Workers are asked to stop by their primary.
  if (leads) process.kill(process.pid, 'SIGTERM');
  setTimeout(killAll, graceMs).unref();
};

// There is nothing to read. It is only read so that its end is noticed.
stdin.on('error', () => undefined).once('close', onEnd);
stdin.resume();
(stdin as Socket).unref?.();
