/** The isolated runs of one process. It is reused while they end properly, and killed when only stubborn ones are left in it. */
import type { Config } from '../config.ts';
import { RunEndedError } from '../run-ended.ts';
import type { Run } from '../types.ts';
import type { IsolatedEnd, KillReason } from './crash.ts';
import {
  type IsolatedProcess,
  type OrderedRun,
  type ProcessDeps,
  type ProcessEnd,
  startProcess,
} from './isolated-process.ts';

export type IsolatedRunsDeps = ProcessDeps & { config: Pick<Config, 'workerHangMs' | 'startTimeoutMs' | 'graceMs'> };

export type Job = {
  run: Run;
  timeoutMs: number;
  /** At most this many runs may be in its process. 1: only a process of its own tells whether this run ends it. */
  together: number;
};

type Active = {
  job: Job;
  finish: (end: IsolatedEnd) => void;
  ordered?: OrderedRun;
  /** Why it goes on although it was told to end. */
  stubborn?: KillReason;
};

export class IsolatedRuns {
  readonly #deps: IsolatedRunsDeps;
  readonly #retired: () => void;
  readonly #process: IsolatedProcess;
  readonly #active = new Set<Active>();
  #given = 0;
  #isClosed = false;

  /**
   * @param retired called when a stubborn run keeps the process from taking more runs.
   * @throws {Error} when the system cannot start another process.
   */
  constructor(deps: IsolatedRunsDeps, retired: () => void) {
    this.#deps = deps;
    this.#retired = retired;
    this.#process = startProcess(deps);
    void this.#process.gone.then((end) => this.#processEnded(end));
  }

  get size(): number {
    return this.#active.size;
  }

  /** Resolves when the process has ended. */
  get gone(): Promise<unknown> {
    return this.#process.gone;
  }

  /** It takes no more runs: it ends, or a run in it goes on against its signal. */
  get isRetired(): boolean {
    return this.#isClosed || this.#process.isGone() || [...this.#active].some(({ stubborn }) => stubborn);
  }

  /** Whether the job may join the runs that are here. */
  admits({ together }: Job): boolean {
    if (this.isRetired) return false;
    if (together === 1) return this.#given === 0;
    return this.size < Math.min(together, ...[...this.#active].map(({ job }) => job.together));
  }

  /** Never rejects. */
  run(job: Job): Promise<IsolatedEnd> {
    const { signal } = job.run;
    const { promise, resolve } = Promise.withResolvers<IsolatedEnd>();
    const timers: (() => void)[] = [];
    const active: Active = {
      job,
      finish: (end) => {
        for (const cancel of timers) cancel();
        signal.removeEventListener('abort', abort);
        if (this.#active.delete(active)) this.#runEnded(signal.aborted);
        resolve(end);
      },
    };
    const stubbornAfter = (ms: number, reason: KillReason) =>
      timers.push(this.#deps.clock.after(ms, () => this.#turnStubborn(active, reason)));
    const abort = () => {
      if (!active.ordered) return active.finish(this.#endOf(active, { code: null, signal: null }));
      active.ordered.abort(signal.reason instanceof RunEndedError);
      stubbornAfter(this.#deps.config.graceMs, 'aborted');
    };
    this.#given += 1;
    this.#active.add(active);
    signal.addEventListener('abort', abort, { once: true });
    void this.#process.ready.then(() => {
      if (!this.#active.has(active)) return;
      this.#begin(active);
      stubbornAfter(job.timeoutMs + this.#deps.config.graceMs, 'past-deadline');
    });
    return promise;
  }

  /** Ends the process. */
  close(): void {
    this.#isClosed = true;
    this.#process.end();
  }

  #begin(active: Active): void {
    const { run, timeoutMs } = active.job;
    const { signal: _signal, ...plain } = run;
    active.ordered = this.#process.run({ ...plain, limits: { ...run.limits, timeoutMs } });
    void active.ordered.outcome.then((outcome) =>
      active.finish({ ...this.#endOf(active, { code: null, signal: null }), outcome }),
    );
  }

  #endOf({ job, ordered, stubborn }: Active, end: ProcessEnd): IsolatedEnd {
    const killedFor = job.run.signal.aborted ? 'aborted' : (stubborn ?? end.killedFor);
    const wasUsed = this.#given > this.size;
    return { ...end, killedFor, begun: ordered !== undefined, suspects: this.size + (wasUsed ? 1 : 0) };
  }

  #processEnded(end: ProcessEnd): void {
    const ended = [...this.#active].map((active) => ({ active, end: this.#endOf(active, end) }));
    for (const one of ended) one.active.finish(one.end);
  }

  #runEnded(aborted: boolean): void {
    // It may have left something behind, which must not go on beside the next run.
    if (aborted) this.#isClosed = true;
    if (this.#isClosed && this.size === 0) this.close();
    this.#killIfOnlyStubborn();
  }

  #turnStubborn(active: Active, reason: KillReason): void {
    active.stubborn ??= reason;
    this.#killIfOnlyStubborn();
    this.#retired();
  }

  /** The others are innocent: they may end first. */
  #killIfOnlyStubborn(): void {
    const left = [...this.#active];
    if (left[0]?.stubborn && left.every(({ stubborn }) => stubborn)) this.#process.kill(left[0].stubborn);
  }
}
