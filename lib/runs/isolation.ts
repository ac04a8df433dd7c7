/** Runs that may end their process are done away from all others, so that nothing else is hit, and nothing else is blamed. */
import type { Config } from '../config.ts';
import type { Logger } from '../log.ts';
import type { RunRequest } from '../ports.ts';
import type { Run } from '../types.ts';
import { type IsolatedEnd, isCrash, type KillReason, outcomeOfEnd } from './crash.ts';
import { type IsolatedProcess, type ProcessDeps, startProcess } from './isolated-process.ts';
import { policyOfRun, type RunPolicy } from './policy.ts';
import { describeError } from './run.ts';

/** A worker's isolated runs at a time: each has a whole process to itself, and they are few; the others wait. */
const isolatedAtOnce = 2;

/** What isolated runs tell of themselves, for the metrics. */
export type IsolationObserver = { started(): void; ended(crashed: boolean): void };

export type IsolationDeps = ProcessDeps & {
  config: Pick<Config, 'maxCrashes' | 'workerHangMs' | 'graceMs'>;
  log: Logger;
  observer: IsolationObserver;
  /** The processor's policy, as this process has loaded it. */
  policy: RunPolicy;
};

/** One run in `child`, from the hand-over to its outcome or to the end of the process. */
const runIn = async (
  child: IsolatedProcess,
  run: Run,
  timeoutMs: number,
  { config, clock }: IsolationDeps,
): Promise<IsolatedEnd> => {
  let begun = false;
  const timers: (() => void)[] = [];
  const killLater = (ms: number, reason: KillReason) => timers.push(clock.after(ms, () => child.kill(reason)));
  const outcome = child.nextOutcome();

  const begin = () => {
    if (run.signal.aborted) return;
    begun = true;
    const { signal: _signal, ...plain } = run;
    child.order({ lanekeeper: 'run', run: plain });
    if (timeoutMs > 0) killLater(timeoutMs + config.graceMs, 'overdue');
  };
  const abort = () => {
    if (!begun) return child.kill('aborted');
    child.order({ lanekeeper: 'abort' });
    killLater(config.graceMs, 'aborted');
  };
  run.signal.addEventListener('abort', abort, { once: true });
  void child.ready.then(begin);

  const end = await Promise.race([outcome.then((found) => ({ outcome: found, code: null, signal: null })), child.gone]);
  for (const cancel of timers) cancel();
  run.signal.removeEventListener('abort', abort);
  return { begun, ...end };
};

/** Where one isolated run after the other is done, in the same process as long as each ends by itself. */
const createPlace = (deps: IsolationDeps) => {
  let child: IsolatedProcess | undefined;

  const leave = () => {
    child?.order({ lanekeeper: 'end' });
    child = undefined;
  };

  const runOnce = async (run: Run, timeoutMs: number): Promise<IsolatedEnd> => {
    try {
      child ??= startProcess(deps);
    } catch (thrown) {
      // No memory for one more process, for example.
      return { begun: false, code: null, signal: null, error: describeError(thrown) };
    }
    const end = await runIn(child, run, timeoutMs, deps);
    // What goes on after it was told to stop must not go on beside the next run.
    if (!end.outcome || run.signal.aborted) leave();
    return end;
  };

  return {
    leave,
    async run(run: Run, timeoutMs: number): Promise<IsolatedEnd> {
      if (child?.isGone()) leave();
      const wasUsed = child !== undefined;
      const end = await runOnce(run, timeoutMs);
      if (!wasUsed || !isCrash(end) || run.signal.aborted) return end;
      // What an earlier run left behind, a timer or a leak, may have ended the process: only one that is new tells.
      const { userId, seq, attempt } = run;
      deps.log.warn(
        { userId, seq, attempt },
        'a process ended in the middle of a run, after others: running it once more, in a new one',
      );
      return runOnce(run, timeoutMs);
    },
  };
};

const notWanted: IsolatedEnd = { begun: false, killedFor: 'aborted', code: null, signal: null };

type Job = PromiseWithResolvers<IsolatedEnd> & { run: Run; timeoutMs: number };

/** Does a run away from all others, a few at a time. Never rejects. */
export const createIsolation = (deps: IsolationDeps): RunRequest => {
  const { clock, observer, log } = deps;
  /** In the order in which they came. */
  const waiting = new Set<Job>();
  let places = 0;

  const observe = (run: Run, end: IsolatedEnd): void => {
    const crashed = isCrash(end) && !run.signal.aborted;
    observer.ended(crashed);
    if (end.outcome || run.signal.aborted) return;
    const { userId, seq, attempt, interruptions } = run;
    const { begun, code, signal, killedFor } = end;
    const about = { userId, seq, attempt, interruptions, begun, code, signal, killedFor };
    log.error(about, crashed ? 'a run ended its process' : 'an isolated run could not be started');
  };

  /** Until nothing waits any more. */
  const workOn = async (): Promise<void> => {
    places += 1;
    const place = createPlace(deps);
    for (const job of waiting) {
      waiting.delete(job);
      observer.started();
      const end = await place.run(job.run, job.timeoutMs);
      observe(job.run, end);
      job.resolve(end);
    }
    place.leave();
    places -= 1;
  };

  const inTurn = async (run: Run, timeoutMs: number): Promise<IsolatedEnd> => {
    const job: Job = { run, timeoutMs, ...Promise.withResolvers<IsolatedEnd>() };
    const giveUp = () => {
      if (waiting.delete(job)) job.resolve(notWanted);
    };
    waiting.add(job);
    run.signal.addEventListener('abort', giveUp, { once: true });
    if (run.signal.aborted) giveUp();
    else if (places < isolatedAtOnce) void workOn();
    const end = await job.promise;
    run.signal.removeEventListener('abort', giveUp);
    return end;
  };

  return async (run) => {
    const policy = policyOfRun(deps.policy, run.limits);
    const end = await inTurn(run, policy.timeoutMs);
    return outcomeOfEnd(end, run, { ...policy, maxCrashes: deps.config.maxCrashes }, clock.random());
  };
};
