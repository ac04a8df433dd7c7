/** A processor whose runs take as long as the request says. Some of them do not end when their signal aborts. */
import cluster from 'node:cluster';
import { env, pid, ppid } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import type { Processor } from '../../lib/processor.ts';
import { monotonicMs } from '../system/monotonic.ts';
import { recorder } from '../system/recorder.ts';

/** `padding` makes the request large. */
export type NeighborWork = { ms: number; ignoresSignal?: boolean; padding?: string };

const record = recorder(env);
/** The history attributes an isolated run to the worker that started its process. */
const worker = `${env.CONSUMER_NAME}/${cluster.isWorker ? pid : ppid}`;

/** A run past its deadline has failed: no request here has a second attempt. */
const outcomeOf = (signal: AbortSignal) => {
  if (!signal.aborted) return 'done';
  return signal.reason?.name === 'RunTimeoutError' ? 'failed' : 'aborted';
};

const run: Processor = async (request, { userId, seq, attempt, fencingToken, signal }) => {
  const { ms, ignoresSignal } = request as NeighborWork;
  const about = { userId, seq, attempt, fencingToken, worker };
  record({ kind: 'started', ...about, at: monotonicMs() });
  await pause(ms, undefined, ignoresSignal ? {} : { signal }).catch(() => undefined);
  const outcome = outcomeOf(signal);
  const result = outcome === 'done' ? JSON.stringify(attempt) : undefined;
  record({ kind: 'ended', ...about, outcome, result, at: monotonicMs() });
  if (outcome !== 'done') throw new Error(`The run was ${outcome}.`);
  return attempt;
};

export default run;
