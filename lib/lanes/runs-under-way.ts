/** The runs under way in this worker, whichever lane hold started them, and the question whether an operator has ended one. */

import { type Batcher, createBatcher } from '../batcher.ts';
import { heartbeatEveryMs } from '../heartbeat-times.ts';
import { isSettled } from '../types.ts';
import type { LaneDeps } from './context.ts';
import type { LoadedUser } from './loaded-user.ts';
import type { RunUnderWay } from './run-under-way.ts';

type AskDeps = Pick<LaneDeps, 'clock' | 'observer'> & {
  ledger: Pick<LaneDeps['ledger'], 'readHeads'>;
  config: Pick<LaneDeps['config'], 'stuckAfterMs'>;
};

const askBatch = { maxItems: 500, maxInFlight: 1 };

export class RunsUnderWay {
  readonly #deps: AskDeps;
  readonly #runs = new Set<RunUnderWay>();
  /** Resolves to whether the ledger says that an operator ended the run, and nothing else yet. */
  readonly #ask: Batcher<RunUnderWay, boolean>;

  constructor(deps: AskDeps) {
    this.#deps = deps;
    this.#ask = createBatcher((runs) => this.#askAbout(runs), askBatch);
  }

  add(run: RunUnderWay): void {
    this.#runs.add(run);
  }

  delete(run: RunUnderWay): void {
    this.#runs.delete(run);
    run.close();
  }

  get size(): number {
    return this.#runs.size;
  }

  /** How long the oldest has lasted; 0 without runs. */
  oldestMs(): number {
    const now = this.#deps.clock.monotonicMs();
    return [...this.#runs].reduce((oldest, { since }) => Math.max(oldest, now - since), 0);
  }

  all(): Iterable<RunUnderWay> {
    return this.#runs;
  }

  /** An operator may have ended the run of this user. `found`: one that ended by itself meanwhile, and may be recorded as waiting. */
  async askAfterRefresh(user: LoadedUser, found: () => void): Promise<void> {
    const { running } = user;
    if (!running) return;
    try {
      if ((await this.#ask(running)) && user.running !== running) found();
    } catch {
      // The periodic question finds out, and says what is wrong.
      running.askedAt = undefined;
    }
  }

  /**
   * A wake says that an operator has ended a run, but it may be lost, may come before the answer to the claim, and goes to the next
   * owner when the run is lent out.
   */
  async askWhereDue(): Promise<void> {
    const now = this.#deps.clock.monotonicMs();
    await Promise.all([...this.#runs].filter((run) => this.#isDue(run, now)).map((run) => this.#ask(run)));
  }

  #isDue({ isEnded, askedAt, since, lentOut }: RunUnderWay, now: number): boolean {
    if (isEnded) return false;
    if (askedAt === undefined) return now - since >= heartbeatEveryMs;
    return lentOut || now - askedAt >= this.#deps.config.stuckAfterMs;
  }

  async #askAbout(runs: RunUnderWay[]): Promise<boolean[]> {
    const { clock, ledger, observer } = this.#deps;
    const heads = await ledger.readHeads(runs.map(({ userId, seq }) => ({ userId, seq })));
    const byId = new Map(heads.map((head) => [`${head.userId}:${head.seq}`, head]));
    return runs.map((run) => {
      run.askedAt = clock.monotonicMs();
      const { userId, seq, attempt, token } = run;
      const head = byId.get(`${userId}:${seq}`);
      const isEnded = head?.endRequestedAt !== undefined && !isSettled(head) && head.token === token;
      if (isEnded && !run.isEnded && this.#runs.has(run)) {
        run.end();
        observer.runAskedToEnd({ userId, seq, attempt, at: clock.now() });
      }
      return isEnded;
    });
  }
}
