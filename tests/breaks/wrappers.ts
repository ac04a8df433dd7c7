/**
 * Wraps ports so that one step of the protocol is missing. The breaks of the simulation and of chaos use these
 * wrappers.
 */

import type { ChangeResult, LedgerChange } from '../../lib/ledger-change.ts';
import type { LaneBroker, LaneStore, LedgerStore, UserQueueStore } from '../../lib/ports.ts';

/** Without [R5]: acks and ignores a wake for a user whose queue is open. */
export const dropWakesOfLoaded = (laneBroker: LaneBroker): LaneBroker => {
  const loaded = new Set<string>();
  return {
    ...laneBroker,
    openLane: (lane, events) =>
      laneBroker.openLane(lane, {
        ...events,
        wake(userId, delivery) {
          if (loaded.has(userId)) delivery.ack();
          else events.wake(userId, delivery);
        },
      }),
    openUserQueues(events) {
      const queues = laneBroker.openUserQueues(events);
      const own = new Set<string>();
      const forget = (userId: string): void => {
        own.delete(userId);
        loaded.delete(userId);
      };
      return {
        open(userId) {
          own.add(userId);
          loaded.add(userId);
          return queues.open(userId);
        },
        delete(userId) {
          forget(userId);
          return queues.delete(userId);
        },
        close() {
          for (const userId of own) forget(userId);
          return queues.close();
        },
      };
    },
  };
};

/** Without [R6]: ignores that another process deleted a user queue. */
export const dropCancels = (laneBroker: LaneBroker): LaneBroker => ({
  ...laneBroker,
  openUserQueues: (events) => laneBroker.openUserQueues({ ...events, consumerLost: () => undefined }),
});

/** Answers a claim immediately and commits it later, together with the next change of the same run. */
export const claimLater = (commit: LedgerStore['commit']): LedgerStore['commit'] => {
  const postponed = new Map<string, LedgerChange>();
  const runOf = ({ userId, seq, token, attempt }: LedgerChange): string => `${userId}:${seq} ${token} ${attempt}`;
  return async (changes) => {
    const now = changes.filter(({ kind }) => kind !== 'claim');
    const claims = now.flatMap((change) => postponed.get(runOf(change)) ?? []);
    for (const change of changes) if (change.kind === 'claim') postponed.set(runOf(change), change);
    if (claims.length > 0) await commit(claims);
    const results = now.length > 0 ? await commit(now) : [];
    return changes.map((change): ChangeResult => (change.kind === 'claim' ? { applied: true } : results.shift()!));
  };
};

/** Without [R4]: a worker always reads its own newest lease of each lane. */
export const trustOwnLease = (lanes: LaneStore): LaneStore => {
  const own = new Map<number, number>();
  return {
    ...lanes,
    async takeLease(lane, ...taker) {
      const lease = await lanes.takeLease(lane, ...taker);
      own.set(lane, lease);
      return lease;
    },
    async leases(asked) {
      const leases = await lanes.leases(asked);
      return new Map(asked.map((lane) => [lane, own.get(lane) ?? leases.get(lane) ?? 0]));
    },
  };
};

async function* noUsers(): AsyncGenerator<never> {}

/** An acquisition loads no users. */
export const loadNoUsers = (userQueues: UserQueueStore): UserQueueStore => ({ ...userQueues, notClosed: noUsers });

/** The sweep finds no users. */
export const sweepNoUsers = (userQueues: UserQueueStore): UserQueueStore => ({
  ...userQueues,
  stuck: async () => [],
});
