/** Numbers about all users, for the metrics: one worker of all counts them, and tells the others in its heartbeat. */
import { isAhead } from '../database-clock.ts';
import type { Deps } from '../deps.ts';
import { heartbeatValidMs } from '../heartbeat-times.ts';
import type { Demand, Heartbeat, StalledUser, Statistics } from '../ports.ts';
import { oldestWaitMs, workersWanted } from './backlog.ts';
import { busyOf, demandOf } from './demand.ts';
import type { HeardWorkers } from './heard-workers.ts';
import type { LaneHold } from './lane-hold.ts';
import { oldestAcceptedAt } from './pending-age.ts';
import type { WorkerSnapshot } from './snapshot.ts';
import { findUsersWithoutProgress } from './stuck-users.ts';

/** They cost a few queries over all open users, so they are counted once in so many sweeps. */
const sweepsPerCount = 3;
/** No more are counted than this. Stuck users are counted up to the end of a page. */
const maxStuck = 1_000;
const maxDeadLetters = 100_000;

/** The worker with the lowest id among those that serve lanes; without any, as when RabbitMQ is away, among all. */
const countingWorker = (heard: Heartbeat[]): string | undefined => {
  const alive = heard.filter(({ gone }) => !gone);
  const serving = alive.filter(({ away }) => !away);
  return (serving.length > 0 ? serving : alive).map(({ workerId }) => workerId).sort()[0];
};

type CountDeps = Pick<Deps, 'clock'> & {
  userQueues: Pick<Deps['userQueues'], 'stuck' | 'countPending'>;
  ledger: Pick<Deps['ledger'], 'readHeads' | 'oldestPending' | 'countDeadLetters'>;
  config: Pick<Deps['config'], 'stuckAfterMs' | 'sweepMs' | 'lanes' | 'pendingPerWorker'>;
};

/** The users of the lanes that this worker owns. */
type OwnUsers = Pick<LaneHold, 'users'>[];

const demandOfLanes = (owned: OwnUsers): Demand => demandOf(owned.flatMap(({ users }) => [...users.all()]));

type AboutAllUsers = Omit<Statistics, 'at' | 'pendingUsers'> &
  Pick<WorkerSnapshot, 'statisticsAgeMs' | 'oldestWaitMs' | 'workersWanted'>;

export class StatisticsCount {
  readonly #deps: CountDeps;
  readonly #workerId: string;
  readonly #heard: Pick<HeardWorkers, 'alive' | 'newest'>;
  readonly #startedMs: number;
  #own: Statistics | undefined;
  #sweeps = 0;
  #unvouchedSince: Date | undefined;

  constructor(deps: CountDeps, workerId: string, heard: Pick<HeardWorkers, 'alive' | 'newest'>) {
    this.#deps = deps;
    this.#workerId = workerId;
    this.#heard = heard;
    this.#startedMs = deps.clock.monotonicMs();
  }

  /** What the heartbeat of this worker says: its lanes, what it counted last, and what the users of its own lanes wait for. */
  toTell(
    active: Pick<LaneHold, 'lane' | 'users'>[],
    owned: OwnUsers,
  ): Pick<Heartbeat, 'lanes' | 'busy' | 'statistics' | 'demand'> {
    return {
      lanes: active.map(({ lane }) => lane),
      busy: active.map(({ users }) => busyOf(users.all())),
      statistics: this.#own,
      demand: demandOfLanes(owned),
    };
  }

  /** When the oldest request was accepted for which no owner vouches: nobody may own its lane. */
  get unvouchedSince(): Date | undefined {
    return this.#unvouchedSince;
  }

  /**
   * Call it after each sweep, with what that found. Counts, if it is time and this worker is the one that counts. Without an answer
   * from MongoDB the earlier numbers stay, and grow old.
   */
  async noteSweep(found: StalledUser[]): Promise<void> {
    this.#unvouchedSince = await oldestAcceptedAt(found, this.#deps);
    this.#sweeps += 1;
    if (this.#sweeps % sweepsPerCount !== 1) return;
    if (countingWorker(this.#heard.alive(heartbeatValidMs)) !== this.#workerId) return;
    const { clock, userQueues, ledger } = this.#deps;
    const at = clock.now();
    const stuckUsers = (await findUsersWithoutProgress(maxStuck, this.#deps)).length;
    const pending = await userQueues.countPending();
    const deadLetters = await ledger.countDeadLetters(maxDeadLetters);
    this.#own = { stuckUsers, pendingRequests: pending.requests, pendingUsers: pending.users, deadLetters, at };
  }

  /** The newest numbers that any worker has told, and what follows from them and from what the users of all workers wait for. */
  newest(owned: OwnUsers): AboutAllUsers {
    const { pendingUsers, ...numbers } = this.#newestCount();
    const { lanes, pendingPerWorker, sweepMs } = this.#deps.config;
    const rule = { lanes, pendingPerWorker, countedEveryMs: sweepsPerCount * sweepMs };
    const others = this.#heard.alive(heartbeatValidMs).filter(({ workerId }) => workerId !== this.#workerId);
    const demands = [demandOfLanes(owned), ...others.flatMap(({ demand }) => demand ?? [])];
    return {
      ...numbers,
      oldestWaitMs: oldestWaitMs(demands, this.#unvouchedSince, this.#deps.clock.now()),
      workersWanted: workersWanted({ ...numbers, pendingUsers }, demands, rule),
    };
  }

  /** The newest numbers, and how old they are. Zeros until there are any, as old as this worker. */
  #newestCount(): Omit<Statistics, 'at'> & { statisticsAgeMs: number } {
    const now = this.#deps.clock.now();
    const told = [this.#own, ...this.#heard.newest.map(({ statistics }) => statistics)];
    const known = told.filter((one) => one !== undefined).filter(({ at }) => !isAhead(at, now));
    const [newest] = known.sort((one, other) => other.at.getTime() - one.at.getTime());
    if (!newest) {
      const statisticsAgeMs = this.#deps.clock.monotonicMs() - this.#startedMs;
      return { stuckUsers: 0, pendingRequests: 0, deadLetters: 0, statisticsAgeMs };
    }
    const { at, ...numbers } = newest;
    return { ...numbers, statisticsAgeMs: Math.max(0, now.getTime() - at.getTime()) };
  }
}
