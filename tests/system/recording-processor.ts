/**
 * A processor that takes a random time, or blocks its event loop for `blockMs` of the request. It writes the start and the end of each
 * run to the history before it goes on.
 */
import { env, pid } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import type { Processor } from '../../lib/processor.ts';
import { monotonicMs } from './monotonic.ts';
import { recorder } from './recorder.ts';

const longestRunMs = Number(env.LONGEST_RUN_MS ?? 20);
const worker = `${env.CONSUMER_NAME ?? 'consumer'}/${pid}`;

const record = recorder(env);

const blockEventLoop = (ms: number): void => {
  const until = monotonicMs() + ms;
  while (monotonicMs() < until);
};

const blockMsOf = (request: unknown): number =>
  typeof request === 'object' && request !== null && 'blockMs' in request ? Number(request.blockMs) : 0;

const run: Processor = async (request, { userId, seq, attempt, fencingToken, signal }) => {
  const about = { userId, seq, attempt, fencingToken, worker };
  record({ kind: 'started', ...about, at: monotonicMs() });
  try {
    blockEventLoop(blockMsOf(request));
    await pause(Math.random() * longestRunMs, undefined, { signal });
    record({ kind: 'ended', ...about, outcome: 'done', at: monotonicMs() });
    return request;
  } catch (error) {
    record({ kind: 'ended', ...about, outcome: 'aborted', at: monotonicMs() });
    throw error;
  }
};

export default run;
