/** Runs that may crash their process get a separate one, so that no other run is interrupted or blamed. */
import type { Config } from '../config.ts';
import { isolationSizes } from '../limits.ts';
import type { Logger } from '../log.ts';
import type { RunRequest } from '../ports.ts';
import type { EntryId, Run } from '../types.ts';
import { type IsolatedEnd, isCrash, mustRepeat, outcomeOfEnd, runsTogetherAfter } from './crash.ts';
import { policyOfRun, type RunPolicy } from './policy.ts';
import { ProcessPool, type ProcessPoolDeps } from './process-pool.ts';

/** So many requests that ended their process are remembered. */
const maxGuilty = 1_000;

export type IsolationDeps = ProcessPoolDeps & {
  config: Pick<
    Config,
    | 'maxCrashes'
    | 'workerHangMs'
    | 'startTimeoutMs'
    | 'graceMs'
    | 'concurrency'
    | 'isolatedProcesses'
    | 'isolatedRunTimeoutMs'
  >;
  log: Logger;
  /** The processor's policy, as this worker has loaded it. */
  policy: RunPolicy;
};

const idOf = ({ userId, seq }: EntryId): string => `${userId}:${seq}`;

/**
 * Most of the runs that a crash interrupted are innocent: they run together at first, in a few processes. When a process ends, its runs
 * are repeated in smaller and smaller groups, until one of them ends a process of its own.
 */
class Isolation {
  readonly #deps: IsolationDeps;
  readonly #shared: ProcessPool;
  readonly #lone: ProcessPool;
  /** The requests that ended a process of their own run in one of their own from the start. */
  readonly #guilty = new Set<string>();

  constructor(deps: IsolationDeps) {
    const { shared, lone } = isolationSizes(deps.config);
    this.#deps = deps;
    this.#shared = new ProcessPool(deps, shared);
    this.#lone = new ProcessPool(deps, lone);
  }

  /** Nobody else's crash may interrupt a run that must not be repeated. */
  runsAlone(id: EntryId, { onInterruption }: RunPolicy): boolean {
    return onInterruption === 'dead-letter' || this.#guilty.has(idOf(id));
  }

  /** Never rejects. */
  async run(run: Run, policy: RunPolicy): Promise<IsolatedEnd> {
    const { config } = this.#deps;
    const timeoutMs = policy.timeoutMs || config.isolatedRunTimeoutMs;
    let together = this.runsAlone(run, policy) ? 1 : isolationSizes(config).runsTogether;
    for (;;) {
      const end = await (together === 1 ? this.#lone : this.#shared).run({ run, timeoutMs, together });
      if (run.signal.aborted) return end;
      if (!mustRepeat(end)) {
        this.#note(run, end);
        return end;
      }
      together = runsTogetherAfter(end);
      const { userId, seq, attempt } = run;
      this.#deps.log.warn(
        { userId, seq, attempt, together },
        'a shared process ended; repeating its runs in smaller groups',
      );
    }
  }

  #note(run: Run, end: IsolatedEnd): void {
    const crashed = isCrash(end);
    if (crashed) this.#guilty.add(idOf(run));
    else this.#guilty.delete(idOf(run));
    const [oldest] = this.#guilty;
    if (oldest && this.#guilty.size > maxGuilty) this.#guilty.delete(oldest);
    if (end.outcome) return;
    const { userId, user, seq, attempt, interruptions } = run;
    const { begun, code, signal, killedFor } = end;
    const fields = { userId, user, seq, attempt, interruptions, begun, code, signal, killedFor };
    this.#deps.log.error(fields, crashed ? 'a run ended its process' : 'an isolated run could not be started');
  }
}

/** Does runs isolated: `run` never rejects. `runsAlone`: such a run needs a process of its own. */
export const createIsolation = (
  deps: IsolationDeps,
): { run: RunRequest; runsAlone: (id: EntryId, policy: RunPolicy) => boolean } => {
  const isolation = new Isolation(deps);
  return {
    runsAlone: (id, policy) => isolation.runsAlone(id, policy),
    run: async (run) => {
      const policy = policyOfRun(deps.policy, run.limits);
      const end = await isolation.run(run, policy);
      return outcomeOfEnd(end, run, { ...policy, maxCrashes: deps.config.maxCrashes }, deps.clock.random());
    },
  };
};
