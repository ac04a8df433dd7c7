/** A worker's lanes: stands by on all of them, owns its share, and hands everything over when it stops. */
import { sleep } from '../clock.ts';
import { heartbeatEveryMs } from '../heartbeat.ts';
import type { StalledUser } from '../ports.ts';
import { createBalance } from './balance.ts';
import { createContext, type LaneDeps } from './context.ts';
import { holdLane, type LaneHold } from './lane-hold.ts';
import { oldestAcceptedAt } from './pending-age.ts';
import { every } from './periodic-task.ts';
import { persist } from './persist.ts';
import { createShare } from './share.ts';
import { isPending } from './stalled-users.ts';
import { createSweep } from './sweep.ts';
import { hasWork, type LoadedUser } from './user-state.ts';

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
  /** Resolves with the error when the lanes cannot be kept, as when MongoDB refuses this worker. Then stop it. Never rejects. */
  readonly failed: Promise<unknown>;
};

const firstReopenMs = 100;
const longestReopenMs = 2_000;
/** Runs that ignore their aborted signal are left behind after this long. */
const abortPatienceMs = 1_000;
/** A message is held unacked for about this long at most, far below the broker's `consumer_timeout` of 30 minutes. */
const holdMs = 120_000;
const housekeepingMs = 30_000;
/** MongoDB may be silent for this many time-outs before a worker gives its lanes to those whom it may still answer. */
const silencesBeforeForsaking = 2;
const storePauseMs = 500;
/** Its sign of life ages by itself: saying sendFinalReport must not hold a worker up. */
const finalReportMs = 500;

export const startLaneWorker = (deps: LaneDeps): LaneWorker => {
  const { clock, config, log } = deps;
  const workerId = createWorkerId(clock);
  const share = createShare(clock, workerId, () => lanesKept.length);
  const context = createContext(deps, share);
  const balance = createBalance(deps, share);
  const holds = new Map<number, LaneHold>();
  const lanesKept: Promise<void>[] = [];
  const stopping = new AbortController();
  const { signal } = stopping;
  let stuckUsers = 0;
  /** Of the users that the last sweep found: nobody may own their lanes, as while the broker is away. */
  let stuckSince: Date | undefined;
  let storeAnsweredAt = clock.now().getTime();

  const owned = () => [...holds.values()].filter((hold) => hold.state() === 'owned');
  /** With those whose last runs are still under way. */
  const active = () => [...holds.values()].filter((hold) => ['owned', 'handing-over'].includes(hold.state()));
  const storeIsSilent = () => clock.now().getTime() - storeAnsweredAt > silencesBeforeForsaking * config.storeTimeoutMs;

  /** Stands by on a lane for as long as the worker lives, with a pause that grows while the broker does not answer. */
  const keepLane = async (lane: number): Promise<void> => {
    let pauseMs = firstReopenMs;
    while (!signal.aborted) {
      while (storeIsSilent() && !signal.aborted) await sleep(clock, storePauseMs, signal);
      if (signal.aborted) return;
      const hold = holdLane(lane, context);
      holds.set(lane, hold);
      const openedAt = clock.now().getTime();
      const reason = await hold.ended;
      if (reason === 'handed-over') continue;
      pauseMs = clock.now().getTime() - openedAt > longestReopenMs ? firstReopenMs : pauseMs;
      await sleep(clock, pauseMs * (0.5 + clock.random() / 2), signal);
      pauseMs = Math.min(pauseMs * 2, longestReopenMs);
    }
  };

  /** Stands by on all lanes below `count`, in an order of its own, so that workers share them. */
  const keepLanes = (count: number): void => {
    const added = Array.from({ length: Math.max(0, count - lanesKept.length) }, (_, index) => ({
      lane: lanesKept.length + index,
      place: clock.random(),
    }));
    added.sort((a, b) => a.place - b.place);
    for (const { lane } of added) lanesKept.push(keepLane(lane));
  };

  const flush = async (): Promise<void> => {
    const now = clock.now();
    const vouchedBefore = new Date(now.getTime() - config.stuckAfterMs / 3);
    const progress = active().flatMap((hold) => hold.progress(vouchedBefore));
    if (progress.length === 0) return;
    await deps.userQueues.flushSettled(progress, now);
    for (const hold of holds.values()) hold.flushed(progress, now);
  };

  let swept: StalledUser[] | undefined;
  const sweep = createSweep(deps, (found) => {
    swept = found;
    stuckUsers = found.filter(isPending).length;
    deps.observer.swept({ stuck: found.length, at: clock.now() });
    adopt(Math.max(-1, ...found.map(({ lane }) => lane)));
  });

  const sweepOnce = async (): Promise<void> => {
    swept = undefined;
    try {
      await sweep();
    } finally {
      // Also when they could not be woken. Without an answer of the store what was known before still holds.
      if (swept) stuckSince = await oldestAcceptedAt(swept, deps);
    }
  };

  /** Functions that know of more lanes than this worker was told of must not wait for its restart. */
  const adopt = (lane: number): void => {
    if (lane < lanesKept.length) return;
    log.error({ lane, lanes: lanesKept.length }, 'users are in lanes beyond LANES: standing by on those too');
    keepLanes(lane + 1);
  };

  const reportSign = async (): Promise<void> => {
    try {
      await deps.workers.report({ workerId, lanes: active().map(({ lane }) => lane), at: clock.now() });
      storeAnsweredAt = clock.now().getTime();
    } catch (error) {
      if (storeIsSilent()) {
        const held = [...holds.values()].filter((hold) => hold.state() !== 'released');
        await Promise.all(held.map((hold) => hold.forsake('MongoDB does not answer this worker')));
      }
      throw error;
    }
  };

  const keepHouse = async (): Promise<void> => {
    const before = new Date(clock.now().getTime() - holdMs);
    for (const hold of holds.values()) hold.letGoHeldSince(before);
  };

  const renewBatons = async (): Promise<void> => {
    await Promise.all(owned().map((hold) => hold.renewBaton()));
  };

  const start = async (): Promise<void> => {
    const known = await persist(
      clock,
      () => !signal.aborted,
      () => deps.lanes.known(),
    );
    keepLanes(Math.max(config.lanes, ...(known ?? []).map((lane) => lane + 1)));
    await Promise.all([
      every(deps, config.flushMs, signal, flush),
      every(deps, config.balanceMs, signal, () => balance(owned(), signal)),
      every(deps, config.sweepMs, signal, sweepOnce),
      every(deps, heartbeatEveryMs, signal, reportSign),
      every(deps, config.batonRenewMs, signal, renewBatons),
      every(deps, housekeepingMs, signal, keepHouse),
    ]);
    await Promise.all(lanesKept);
  };

  const failed = Promise.withResolvers<unknown>();
  const ended = start().catch(failed.resolve);

  const handEverythingOver = async (): Promise<void> => {
    await Promise.all([...holds.values()].map((hold) => hold.handOver('stopped')));
    await ended;
  };

  return {
    failed: failed.promise,
    async stop() {
      stopping.abort();
      const cancelGrace = clock.after(config.graceMs, () => {
        for (const hold of holds.values()) hold.abortRuns();
      });
      await within(clock, config.graceMs + abortPatienceMs, handEverythingOver());
      cancelGrace();
      await within(
        clock,
        finalReportMs,
        deps.workers.remove(workerId).catch(() => undefined),
      );
    },
    snapshot() {
      const users = owned().flatMap((hold) => [...hold.users()]);
      const now = clock.now().getTime();
      const stuckMs = stuckSince ? now - stuckSince.getTime() : 0;
      return {
        lanesOwned: owned().length,
        usersLoaded: users.length,
        inFlight: context.slots.inUse(),
        oldestPendingAgeMs: users.reduce((oldest, user) => Math.max(oldest, pendingAgeMs(user, now)), stuckMs),
        stuckUsers,
      };
    },
  };
};

const createWorkerId = (clock: LaneDeps['clock']): string =>
  Array.from({ length: 4 }, () =>
    Math.floor(clock.random() * 0x10000)
      .toString(16)
      .padStart(4, '0'),
  ).join('');

/** How long the oldest pending request has been accepted, as far as it is known here. */
const pendingAgeMs = (user: LoadedUser, now: number): number => {
  if (!hasWork(user)) return 0;
  const since = user.held.get(user.next)?.acceptedAt ?? user.gap?.since;
  return since ? now - since.getTime() : 0;
};

/** Waits for `work`, but not longer than `ms`. */
const within = async (clock: LaneDeps['clock'], ms: number, work: Promise<unknown>): Promise<void> => {
  const patience = new AbortController();
  await Promise.race([work, sleep(clock, ms, patience.signal)]);
  patience.abort();
};
