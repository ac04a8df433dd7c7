/** Does what the request says, and writes each run's start and end to the history before it goes on. */
import cluster from 'node:cluster';
import { env, exit, pid, ppid } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import type { Processor } from '../../lib/processor.ts';
import { monotonicMs } from '../system/monotonic.ts';
import { recorder } from '../system/recorder.ts';

/**
 * `retries`: so many runs throw before one is done; at most as many as `MAX_ATTEMPTS`. `crashes`: so many runs end their
 * process before that. `hangs`: the event loop stands still in the first run.
 */
export type Work = { ms: number; ends: 'done' | 'failed'; retries: number; crashes?: number; hangs?: boolean };

const record = recorder(env);
const isAlone = !cluster.isWorker;
/** An isolated run belongs to the worker that started it. */
const worker = `${env.CONSUMER_NAME ?? 'consumer'}/${isAlone ? ppid : pid}`;

const maxAttempts = Number(env.MAX_ATTEMPTS);
const deadLettered = env.FAILURE_POLICY === 'block' ? 'blocked' : 'failed';

type About = { userId: string; seq: number; attempt: number; fencingToken: number; worker: string };

/** Alone it ends this run only; in a worker everything that runs there. */
const crash = (about: About): never => {
  const at = monotonicMs();
  if (isAlone) record({ kind: 'ended', ...about, outcome: 'crashed', at });
  else record({ kind: 'fault', fault: 'worker-killed', target: worker, at });
  exit(1);
};

const hang = (): never => {
  record({ kind: 'fault', fault: 'worker-hung', target: worker, at: monotonicMs() });
  for (;;);
};

const outcomeOf = async (work: Work, about: About, signal: AbortSignal) => {
  const { attempt } = about;
  if (work.hangs && attempt === 1) hang();
  await pause(work.ms, undefined, { signal }).catch(() => undefined);
  if (signal.aborted) return 'aborted';
  if (attempt <= (work.crashes ?? 0)) crash(about);
  if (attempt <= work.retries) return attempt < maxAttempts ? 'retry' : deadLettered;
  return work.ends === 'done' ? 'done' : deadLettered;
};

const errorOf = (name: string): Error => Object.assign(new Error(`It ends as ${name}`), { name });

const run: Processor = async (request, { userId, seq, attempt, fencingToken, signal }) => {
  const about = { userId, seq, attempt, fencingToken, worker };
  record({ kind: 'started', ...about, at: monotonicMs() });
  const outcome = await outcomeOf(request as Work, about, signal);
  const result = outcome === 'done' ? JSON.stringify(attempt) : undefined;
  record({ kind: 'ended', ...about, outcome, result, at: monotonicMs() });
  if (outcome === deadLettered) throw errorOf('UnrecoverableError');
  if (outcome !== 'done') throw errorOf('NotYetError');
  return attempt;
};

export default run;
