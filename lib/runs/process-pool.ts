/** Some processes for isolated runs: each run waits for a process that admits it. First come, first served. */
import { type IsolatedEnd, isCrash } from './crash.ts';
import { IsolatedRuns, type IsolatedRunsDeps, type Job } from './isolated-runs.ts';
import { toRunError } from './run-error.ts';

/** A process without a run ends after this time: the next run often comes at once. */
const idleMs = 1_000;

/** Reports isolated runs, for the metrics. `rejected`: they left so many rejected promises unhandled. */
export type IsolationObserver = { started(): void; ended(crashed: boolean): void; rejected(count: number): void };

export type ProcessPoolDeps = IsolatedRunsDeps & { observer: IsolationObserver };

const notBegun = { begun: false, suspects: 0, code: null, signal: null } as const;

type Waiter = { job: Job; resolve: (end: IsolatedEnd | Promise<IsolatedEnd>) => void };

export class ProcessPool {
  readonly #deps: ProcessPoolDeps;
  readonly #size: number;
  readonly #waiting = new Set<Waiter>();
  readonly #processes = new Set<IsolatedRuns>();

  /** @param size how many processes there may be, besides those that end. */
  constructor(deps: ProcessPoolDeps, size: number) {
    this.#deps = deps;
    this.#size = size;
  }

  /** Never rejects. A run whose signal aborts while it waits leaves the queue. */
  run(job: Job): Promise<IsolatedEnd> {
    const { signal } = job.run;
    const { promise, resolve } = Promise.withResolvers<IsolatedEnd>();
    const waiter: Waiter = { job, resolve };
    const giveUp = () => {
      if (this.#waiting.delete(waiter)) resolve({ ...notBegun, killedFor: 'aborted' });
    };
    this.#waiting.add(waiter);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    this.#fill();
    return promise.finally(() => signal.removeEventListener('abort', giveUp));
  }

  #fill(): void {
    for (const waiter of this.#waiting) {
      try {
        const process = this.#processFor(waiter.job);
        if (!process) return;
        waiter.resolve(this.#runIn(process, waiter.job));
      } catch (thrown) {
        // For example, there is no memory for another process.
        waiter.resolve({ ...notBegun, error: toRunError(thrown) });
      }
      this.#waiting.delete(waiter);
    }
  }

  async #runIn(process: IsolatedRuns, job: Job): Promise<IsolatedEnd> {
    const { observer, clock } = this.#deps;
    observer.started();
    const end = await process.run(job);
    observer.ended(isCrash(end));
    const endIdle = () => {
      if (process.size === 0 && !process.isRetired) process.close();
    };
    if (process.size === 0) clock.after(idleMs, endIdle);
    this.#fill();
    return end;
  }

  /** The emptiest process, a new one if there may be one more, or a new one in place of an idle one. */
  #processFor(job: Job): IsolatedRuns | undefined {
    const open = [...this.#processes].filter((process) => !process.isRetired);
    const [emptiest] = open.filter((process) => process.admits(job)).sort((one, other) => one.size - other.size);
    if (emptiest?.size === 0) return emptiest;
    if (open.length < this.#size) return this.#start();
    if (emptiest) return emptiest;
    const idle = open.find(({ size }) => size === 0);
    idle?.close();
    return idle ? this.#start() : undefined;
  }

  #start(): IsolatedRuns {
    const process = new IsolatedRuns(this.#deps, () => this.#fill());
    this.#processes.add(process);
    void process.gone.then(() => {
      this.#processes.delete(process);
      this.#fill();
    });
    return process;
  }
}
