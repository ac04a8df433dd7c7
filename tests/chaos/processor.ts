/** Does what the request says, and writes each run's start and end to the history before it goes on. */
import cluster from 'node:cluster';
import { env, pid, ppid } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import type { Processor } from '../../lib/consumer/processor.ts';
import { monotonicMs } from '../system/monotonic.ts';
import { recorder } from './recorder.ts';

/** `retries`: so many runs throw before one is done. `hangs`: the event loop stands still in the first run. */
export type Work = { ms: number; ends: 'done' | 'failed'; retries: number; hangs?: boolean };

const record = recorder(env);
/** An isolated run belongs to the worker that started it. */
const worker = `${env.CONSUMER_NAME ?? 'consumer'}/${cluster.isWorker ? pid : ppid}`;

const hang = (): never => {
  record({ kind: 'fault', fault: 'worker-hung', target: worker, at: monotonicMs() });
  for (;;);
};

const outcomeOf = async (work: Work, attempt: number, signal: AbortSignal) => {
  if (work.hangs && attempt === 1) hang();
  await pause(work.ms, undefined, { signal }).catch(() => undefined);
  if (signal.aborted) return 'aborted';
  return attempt <= work.retries ? 'retry' : work.ends;
};

const errorOf = (name: string): Error => Object.assign(new Error(`It ends as ${name}`), { name });

const run: Processor = async (request, { userId, seq, attempt, fencingToken, signal }) => {
  const about = { userId, seq, attempt, fencingToken, worker };
  record({ kind: 'started', ...about, at: monotonicMs() });
  const outcome = await outcomeOf(request as Work, attempt, signal);
  const result = outcome === 'done' ? JSON.stringify(attempt) : undefined;
  record({ kind: 'ended', ...about, outcome, result, at: monotonicMs() });
  if (outcome === 'failed') throw errorOf('UnrecoverableError');
  if (outcome !== 'done') throw errorOf('NotYetError');
  return attempt;
};

export default run;
