/**
 * A processor that does what the request says. It writes the start and the end of each run to the history before it
 * goes on.
 */
import cluster from 'node:cluster';
import { env, exit, pid, ppid } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import type { Processor } from '../../lib/processor.ts';
import { monotonicMs } from '../system/monotonic.ts';
import { recorder } from '../system/recorder.ts';

/**
 * What a request makes the processor do. `retries`: this many runs throw before one is done, at most `MAX_ATTEMPTS`.
 * `crashes`: this many runs end their process before that. `hangs`: the first run blocks the event loop. `isDeaf`: the
 * first run ignores its signal and goes on past its deadline. `padding` makes the request large.
 */
export type Work = {
  ms: number;
  ends: 'done' | 'failed';
  retries: number;
  crashes?: number;
  hangs?: boolean;
  isDeaf?: boolean;
  padding?: string;
};

const record = recorder(env);
const isIsolated = !cluster.isWorker;
/** The history attributes an isolated run to the worker that started its process. */
const worker = `${env.CONSUMER_NAME ?? 'consumer'}/${isIsolated ? ppid : pid}`;

const maxAttempts = Number(env.MAX_ATTEMPTS);
const deadLettered = env.FAILURE_POLICY === 'block' ? 'blocked' : 'failed';

type About = { userId: string; seq: number; attempt: number; fencingToken: number; worker: string };

/** The runs of this process. */
const running = new Set<About>();

/** Ends everything that runs in this process. */
const crash = (about: About): never => {
  const at = monotonicMs();
  if (isIsolated) {
    for (const one of running) {
      record({ kind: 'ended', ...one, outcome: one === about ? 'crashed' : 'taken-along', at });
    }
  } else record({ kind: 'fault', fault: 'worker-killed', target: worker, at });
  exit(1);
};

const hang = (): never => {
  record({ kind: 'fault', fault: 'worker-hung', target: worker, at: monotonicMs() });
  for (;;);
};

/** An isolated process ends at the latest `GRACE_MS` after the deadline of a run, and the runs beside it with it. */
const isDeaf = (work: Work, attempt: number): boolean => work.isDeaf === true && attempt === 1 && !isIsolated;

const runDeaf = async (ms: number, signal: AbortSignal) => {
  await pause(ms);
  const passedDeadline = signal.aborted && (signal.reason as Error | undefined)?.name === 'RunTimeoutError';
  return passedDeadline ? 'retry' : 'aborted';
};

const outcomeOf = async (work: Work, about: About, signal: AbortSignal) => {
  const { attempt } = about;
  if (work.hangs && attempt === 1) hang();
  if (isDeaf(work, attempt)) return runDeaf(work.ms, signal);
  // Later attempts of such a request are short.
  const ms = work.isDeaf ? 0 : work.ms;
  await pause(ms, undefined, { signal }).catch(() => undefined);
  if (signal.aborted) return 'aborted';
  if (attempt <= (work.crashes ?? 0)) crash(about);
  if (attempt <= work.retries) return attempt < maxAttempts ? 'retry' : deadLettered;
  return work.ends === 'done' ? 'done' : deadLettered;
};

const errorOf = (name: string): Error => Object.assign(new Error(`The request asked for a ${name}`), { name });

const run: Processor = async (request, { userId, seq, attempt, fencingToken, signal }) => {
  const about = { userId, seq, attempt, fencingToken, worker };
  record({ kind: 'started', ...about, at: monotonicMs() });
  running.add(about);
  const outcome = await outcomeOf(request as Work, about, signal);
  running.delete(about);
  const result = outcome === 'done' ? JSON.stringify(attempt) : undefined;
  record({ kind: 'ended', ...about, outcome, result, at: monotonicMs() });
  if (outcome === deadLettered) throw errorOf('UnrecoverableError');
  if (outcome !== 'done') throw errorOf('NotYetError');
  return attempt;
};

export default run;
