/** What all lanes of one worker share: group commits, slots, and the runs under way. */

import { type Batcher, createBatcher } from '../batcher.ts';
import type { Deps } from '../deps.ts';
import type { ChangeResult, LedgerChange } from '../ledger-change.ts';
import { isolationSizes } from '../limits.ts';
import type { Hints, TraceRun } from '../ports.ts';
import type { EntryId, UserQueue, WorkEntry } from '../types.ts';
import { BodyBudget } from './body-budget.ts';
import { charsOf } from './changes.ts';
import { persist } from './persist.ts';
import type { RunUnderWay } from './run-under-way.ts';
import { RunsUnderWay } from './runs-under-way.ts';
import type { Share } from './share.ts';
import { limitsOf, Slots } from './slots.ts';

export type LaneDeps = Pick<
  Deps,
  | 'clock'
  | 'log'
  | 'userQueues'
  | 'ledger'
  | 'lanes'
  | 'workers'
  | 'publisher'
  | 'laneBroker'
  | 'planRun'
  | 'runRequest'
  | 'observer'
> & {
  /** Tells whoever listens where something has happened. */
  hints?: Hints;
  /** Without it, runs continue the traces of their requests, and no spans are made. */
  traceRun?: TraceRun;
  config: Pick<
    Deps['config'],
    | 'lanes'
    | 'concurrency'
    | 'isolatedProcesses'
    | 'heldBytes'
    | 'graceMs'
    | 'gapTimeoutMs'
    | 'idleTimeoutMs'
    | 'maxOpenQueues'
    | 'stuckAfterMs'
    | 'sweepMs'
    | 'balanceMs'
    | 'flushMs'
    | 'batonRenewMs'
    | 'storeTimeoutMs'
    | 'frozenAfterMs'
    | 'pendingPerWorker'
  >;
};

/** `wanted` is asked again before each try: a claim for a lost lane is not sent. */
type Wanted = { wanted: () => boolean };

/** `lane`: of the user. */
type Committing = Wanted & { change: LedgerChange; lane: number };

/** What a refresh of one user finds: the user queue, and the lease of its lane, read after it [R4]. */
export type Refreshed = { queue: UserQueue | undefined; lease: number };

/** Entries of one user. Bodies are read only where there is room for them. */
export type EntryRead = { ids: EntryId[]; withBodies: boolean };

export type WorkerContext = {
  deps: LaneDeps;
  workerId: string;
  bodies: BodyBudget;
  share: Pick<Share, 'take' | 'release'>;
  /** By where a run happens. Who waits for one kind of slot holds none of the others. */
  slots: { here: Slots; isolated: Slots; alone: Slots };
  /** Resolves to `undefined` when the change is no longer wanted: whether it was applied is unknown. */
  commit: Batcher<Committing, ChangeResult | undefined>;
  /** Of one user each time. */
  readEntries: Batcher<Wanted & EntryRead, WorkEntry[] | undefined>;
  /** Takes a lane's lease and loads its users, a few lanes at a time. */
  load: Batcher<() => Promise<boolean>, boolean>;
  /** A lane's lease, read after the call [R4]. A worker that acquires many lanes at once reads all leases in one query. */
  lease: Batcher<Wanted & { lane: number }, number | undefined>;
  refresh: Batcher<Wanted & { userId: string; lane: number }, Refreshed | undefined>;
  /** The last tickets of this lane's users, and of others [`lastTickets`]. `users`: how many the lane has. */
  lastTickets: Batcher<{ lane: number; users: number }, Map<string, number>>;
  /** The runs of this process, by user, whichever lane hold started them: the next run of a user waits for its end. */
  runs: Map<string, Promise<void>>;
  /** The runs of this process that ignore their signal, whichever lane hold started them. */
  unresponsive: Set<RunUnderWay>;
  underWay: RunsUnderWay;
  /** Resolves when this worker must retire: a run that an operator ended ignores its signal. */
  retirement: PromiseWithResolvers<void>;
};

/** Alike changes are one update, in which each looks for its place among all. Above this that costs more than another statement. */
const commitBatch = {
  maxItems: 128,
  maxInFlight: 1,
  maxSize: 4 * 1_024 * 1_024,
  sizeOf: ({ change }: { change: LedgerChange }) => charsOf(change),
};
const readBatch = { maxItems: 64, maxInFlight: 2 };
/**
 * Whoever acquires many lanes loads the first ones soon, and serves them. All at once, each statement waits behind the statements of all others:
 * on a slow server every one of them would exceed its timeout, and all would begin again.
 */
const loadBatch = { maxItems: 1, maxInFlight: 8 };
const leaseBatch = { maxItems: 500, maxInFlight: 2 };
/** How many users one look-up reads at most, unless they are all in one lane. One at a time: it never keeps claims from MongoDB. */
const lookUpBatch = {
  maxItems: 500,
  maxInFlight: 1,
  maxSize: 2_000,
  sizeOf: ({ users }: { users: number }) => users,
};
/** One at a time, so that a later refresh never shows an older state. */
const refreshBatch = { maxItems: 500, maxInFlight: 1 };

export const createContext = (
  deps: LaneDeps,
  workerId: string,
  share: Pick<Share, 'take' | 'release'>,
): WorkerContext => {
  const { places, lone } = isolationSizes(deps.config);
  return {
    deps,
    workerId,
    share,
    bodies: new BodyBudget(deps.config.heldBytes),
    slots: {
      here: new Slots(limitsOf(deps.config.concurrency)),
      isolated: new Slots(limitsOf(places)),
      alone: new Slots(limitsOf(lone)),
    },
    commit: createBatcher(commitAll(deps), commitBatch),
    readEntries: createBatcher(readAll(deps), readBatch),
    load: createBatcher((loads) => Promise.all(loads.map((load) => load())), loadBatch),
    lease: createBatcher(leaseAll(deps), leaseBatch),
    refresh: createBatcher(refreshAll(deps), refreshBatch),
    lastTickets: createBatcher(lookUpAll(deps), lookUpBatch),
    runs: new Map(),
    unresponsive: new Set(),
    underWay: new RunsUnderWay(deps),
    retirement: Promise.withResolvers(),
  };
};

/** Repeats `work` with the items that are still wanted, until it succeeds or none is wanted. Results are in the order of the items. */
const whileWanted = async <T extends Wanted, R>(
  deps: LaneDeps,
  items: T[],
  work: (wanted: T[]) => Promise<R[]>,
): Promise<(R | undefined)[]> => {
  let wanted = items;
  const anyWanted = () => {
    wanted = items.filter((item) => item.wanted());
    return wanted.length > 0;
  };
  const results = await persist(deps.clock, anyWanted, () => work(wanted));
  if (!results) return items.map(() => undefined);
  const byItem = new Map(wanted.map((item, index) => [item, results[index]]));
  return items.map((item) => byItem.get(item));
};

const commitAll =
  ({ hints, ...deps }: LaneDeps) =>
  (items: Committing[]) =>
    whileWanted(deps, items, async (wanted) => {
      const results = await deps.ledger.commit(wanted.map(({ change }) => change));
      if (hints)
        for (const [index, { lane, change }] of wanted.entries())
          if (results[index]?.applied) hints.tell(lane, change.userId);
      return results;
    });

const readAll = (deps: LaneDeps) => (items: (Wanted & EntryRead)[]) =>
  whileWanted(deps, items, async (wanted) => {
    const entries = await deps.ledger.readWork(
      wanted.flatMap(({ ids, withBodies }) => ids.map((id) => ({ ...id, withBody: withBodies }))),
    );
    const byUser = Map.groupBy(entries, ({ userId }) => userId);
    return wanted.map(({ ids }) => (ids[0] && byUser.get(ids[0].userId)) ?? []);
  });

const leaseAll = (deps: LaneDeps) => (items: (Wanted & { lane: number })[]) =>
  whileWanted(deps, items, async (wanted) => {
    const leases = await deps.lanes.leases(wanted.map(({ lane }) => lane));
    return wanted.map(({ lane }) => leases.get(lane) ?? 0);
  });

const lookUpAll =
  ({ userQueues }: LaneDeps) =>
  async (asked: { lane: number; users: number }[]) => {
    const found = await userQueues.lastTickets(asked.map(({ lane }) => lane));
    return asked.map(() => found);
  };

const refreshAll = (deps: LaneDeps) => (items: (Wanted & { userId: string; lane: number })[]) =>
  whileWanted(deps, items, async (wanted): Promise<Refreshed[]> => {
    const queues = await deps.userQueues.get([...new Set(wanted.map(({ userId }) => userId))]);
    const leases = await deps.lanes.leases([...new Set(wanted.map(({ lane }) => lane))]);
    const byUser = new Map(queues.map((queue) => [queue.userId, queue]));
    return wanted.map(({ userId, lane }) => ({ queue: byUser.get(userId), lease: leases.get(lane) ?? 0 }));
  });
