/** Runs that may crash their process get a separate one, so that no other run is interrupted or blamed. */
import type { Config } from '../config.ts';
import type { Logger } from '../log.ts';
import type { RunRequest } from '../ports.ts';
import type { Run } from '../types.ts';
import { type IsolatedEnd, isCrash, outcomeOfEnd } from './crash.ts';
import type { ProcessDeps } from './isolated-process.ts';
import { IsolatedRunner } from './isolated-runner.ts';
import { policyOfRun, type RunPolicy } from './policy.ts';

/** Isolated runs of one worker at a time. Each has a whole process to itself, and they are few: the others wait. */
const maxIsolated = 2;

/** Reports isolated runs, for the metrics. */
export type IsolationObserver = { started(): void; ended(crashed: boolean): void };

export type IsolationDeps = ProcessDeps & {
  config: Pick<Config, 'maxCrashes' | 'workerHangMs' | 'graceMs'>;
  log: Logger;
  observer: IsolationObserver;
  /** The processor's policy, as this worker has loaded it. */
  policy: RunPolicy;
};

const notWanted: IsolatedEnd = { begun: false, killedFor: 'aborted', code: null, signal: null };

type Job = PromiseWithResolvers<IsolatedEnd> & { run: Run; timeoutMs: number };

/** First come, first served, at most `maxIsolated` at a time. */
class IsolationQueue {
  readonly #deps: IsolationDeps;
  readonly #waiting = new Set<Job>();
  #runners = 0;

  constructor(deps: IsolationDeps) {
    this.#deps = deps;
  }

  /** Never rejects. A run whose signal aborts while it waits leaves the queue. */
  async run(run: Run, timeoutMs: number): Promise<IsolatedEnd> {
    const job: Job = { run, timeoutMs, ...Promise.withResolvers<IsolatedEnd>() };
    const giveUp = () => {
      if (this.#waiting.delete(job)) job.resolve(notWanted);
    };
    this.#waiting.add(job);
    run.signal.addEventListener('abort', giveUp, { once: true });
    if (run.signal.aborted) giveUp();
    else if (this.#runners < maxIsolated) void this.#workOff();
    const end = await job.promise;
    run.signal.removeEventListener('abort', giveUp);
    return end;
  }

  async #workOff(): Promise<void> {
    this.#runners += 1;
    const runner = new IsolatedRunner(this.#deps);
    for (const job of this.#waiting) {
      this.#waiting.delete(job);
      this.#deps.observer.started();
      const end = await runner.run(job.run, job.timeoutMs);
      this.#report(job.run, end);
      job.resolve(end);
    }
    runner.close();
    this.#runners -= 1;
  }

  #report(run: Run, end: IsolatedEnd): void {
    const crashed = isCrash(end) && !run.signal.aborted;
    this.#deps.observer.ended(crashed);
    if (end.outcome || run.signal.aborted) return;
    const { userId, seq, attempt, interruptions } = run;
    const { begun, code, signal, killedFor } = end;
    const fields = { userId, seq, attempt, interruptions, begun, code, signal, killedFor };
    this.#deps.log.error(fields, crashed ? 'a run ended its process' : 'an isolated run could not be started');
  }
}

/** Does runs isolated, a few at a time. The returned function never rejects. */
export const createIsolation = (deps: IsolationDeps): RunRequest => {
  const queue = new IsolationQueue(deps);
  return async (run) => {
    const policy = policyOfRun(deps.policy, run.limits);
    const end = await queue.run(run, policy.timeoutMs);
    return outcomeOfEnd(end, run, { ...policy, maxCrashes: deps.config.maxCrashes }, deps.clock.random());
  };
};
