/** A worker's lanes: stands by on all of them, owns its share, and hands everything over when it stops. */
import { sleep } from '../clock.ts';
import { AppError } from '../errors.ts';
import { chooseSurplus, fairShare } from './balance.ts';
import { createContext, type LaneDeps } from './context.ts';
import { holdLane, type LaneHold } from './lane-hold.ts';
import { persist } from './persist.ts';
import { sweep } from './sweep.ts';
import { hasWork } from './user-state.ts';

export type WorkerSnapshot = {
  lanesOwned: number;
  usersLoaded: number;
  inFlight: number;
  oldestPendingAgeMs: number;
  stuckUsers: number;
};

export type LaneWorker = {
  /** Takes nothing new, hands every lane over; after `graceMs` aborts the runs' signals and goes. */
  stop(): Promise<void>;
  snapshot(): WorkerSnapshot;
};

const firstReopenMs = 100;
const longestReopenMs = 2_000;
/** Runs that ignore their aborted signal are left behind after this long. */
const abortPatienceMs = 1_000;
/** A lane with runs that do not end so soon is not handed over for the sake of balance. */
const balancePatienceMs = 2_000;
/** A message is held unacked for about this long at most, far below the broker's `consumer_timeout` of 30 minutes. */
const holdMs = 120_000;
const housekeepingMs = 30_000;
/** How often a worker tells which lanes it owns; one that is silent for several times as long hangs or is gone. */
export const signOfLifeMs = 1_000;

const createWorkerId = (clock: LaneDeps['clock']): string =>
  Array.from({ length: 4 }, () =>
    Math.floor(clock.random() * 0x10000)
      .toString(16)
      .padStart(4, '0'),
  ).join('');

export const startLaneWorker = (deps: LaneDeps): LaneWorker => {
  const { clock, config, log } = deps;
  const context = createContext(deps);
  const holds = new Map<number, LaneHold>();
  const stopping = new AbortController();
  let stuckUsers = 0;
  let laneCount = config.lanes;

  const owned = () => [...holds.values()].filter((hold) => hold.state() === 'owned');

  /** Stands by on a lane for as long as the worker lives, with a pause that grows while the broker does not answer. */
  const keepLane = async (lane: number): Promise<void> => {
    let pauseMs = firstReopenMs;
    while (!stopping.signal.aborted) {
      const hold = holdLane(lane, context);
      holds.set(lane, hold);
      const openedAt = clock.now().getTime();
      const reason = await hold.ended;
      if (reason === 'handed-over') continue;
      pauseMs = clock.now().getTime() - openedAt > longestReopenMs ? firstReopenMs : pauseMs;
      await sleep(clock, pauseMs * (0.5 + clock.random() / 2), stopping.signal);
      pauseMs = Math.min(pauseMs * 2, longestReopenMs);
    }
  };

  /** Repeats `work` about every `ms`, jittered so that workers do not march in step. A server's silence is no news here. */
  const every = async (ms: number, work: () => Promise<void>): Promise<void> => {
    while (!stopping.signal.aborted) {
      await sleep(clock, ms * (0.75 + clock.random() / 2), stopping.signal);
      if (stopping.signal.aborted) return;
      await work().catch((error) => {
        if (!(error instanceof AppError && error.retryable)) log.error({ err: error }, 'a round of upkeep failed');
      });
    }
  };

  const flush = async (): Promise<void> => {
    const progress = [...holds.values()].flatMap((hold) => hold.unflushed());
    if (progress.length === 0) return;
    await deps.userQueues.flushSettled(progress, clock.now());
    for (const hold of holds.values()) hold.flushed(progress);
  };

  const balance = async (): Promise<void> => {
    const [sample] = owned();
    if (!sample) return;
    const share = fairShare(laneCount, await sample.consumerCount());
    await Promise.all(
      chooseSurplus(owned(), share).map(async (hold) => {
        if ((await hold.consumerCount()) < 2) return;
        const patience = new AbortController();
        const cancel = clock.after(balancePatienceMs, () => patience.abort());
        await hold.handOver('handed-over', AbortSignal.any([patience.signal, stopping.signal]));
        cancel();
      }),
    );
  };

  const sweepOnce = async (): Promise<void> => {
    stuckUsers = await sweep(deps, (userId) => context.runs.has(userId));
    deps.observer.swept({ stuck: stuckUsers, at: clock.now() });
  };

  const keepHouse = async (): Promise<void> => {
    const before = new Date(clock.now().getTime() - holdMs);
    for (const hold of holds.values()) hold.ackHeldSince(before);
  };

  const workerId = createWorkerId(clock);
  const reportSign = (): Promise<void> =>
    deps.workers.report({ workerId, lanes: owned().map((hold) => hold.lane), at: clock.now() });

  const renewBatons = async (): Promise<void> => {
    await Promise.all(owned().map((hold) => hold.renewBaton()));
  };

  const start = async (): Promise<void> => {
    const known = await persist(
      clock,
      () => !stopping.signal.aborted,
      () => deps.lanes.known(),
    );
    laneCount = Math.max(config.lanes, ...(known ?? []).map((lane) => lane + 1));
    const order = Array.from({ length: laneCount }, (_, lane) => ({ lane, place: clock.random() }));
    order.sort((a, b) => a.place - b.place);
    await Promise.all([
      ...order.map(({ lane }) => keepLane(lane)),
      every(config.flushMs, flush),
      every(config.balanceMs, balance),
      every(config.sweepMs, sweepOnce),
      every(signOfLifeMs, reportSign),
      every(config.batonRenewMs, renewBatons),
      every(housekeepingMs, keepHouse),
    ]);
  };

  const ended = start();

  return {
    async stop() {
      stopping.abort();
      const cancelGrace = clock.after(config.graceMs, () => {
        for (const hold of holds.values()) hold.abortRuns();
      });
      const handedOver = Promise.all([...holds.values()].map((hold) => hold.handOver('stopped')));
      const patience = new AbortController();
      await Promise.race([
        handedOver.then(() => ended),
        sleep(clock, config.graceMs + abortPatienceMs, patience.signal),
      ]);
      patience.abort();
      cancelGrace();
      await deps.workers.remove(workerId).catch(() => undefined);
    },
    snapshot() {
      const users = owned().flatMap((hold) => [...hold.users()]);
      const now = clock.now().getTime();
      const ages = users
        .filter(hasWork)
        .map((user) => now - (user.held.get(user.next)?.acceptedAt.getTime() ?? user.gap?.since.getTime() ?? now));
      return {
        lanesOwned: owned().length,
        usersLoaded: users.length,
        inFlight: context.slots.inUse(),
        oldestPendingAgeMs: ages.reduce((oldest, age) => Math.max(oldest, age), 0),
        stuckUsers,
      };
    },
  };
};
