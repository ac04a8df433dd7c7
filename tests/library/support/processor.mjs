import { setTimeout as sleep } from 'node:timers/promises';

/** Ends its process during the request `crash`, except in an isolated process. `slow` takes a second. */
export const policy = { maxAttempts: 2 };
export default async (request, { user, seq }) => {
  if (request === 'crash' && !process.argv[1]?.includes('isolated-run')) process.exit(1);
  if (request === 'slow') await sleep(1_000);
  if (request === 'fail') throw new Error('no luck');
  return { user, seq, pid: process.pid };
};
