/** Ports with one step of the protocol left out: what the simulation and the chaos put in the place of the real ones. */
import type { LaneBroker, LaneChannel, LaneEvents, LaneStore, LedgerStore, UserQueueStore } from '../../lib/ports.ts';
import type { ChangeResult, LedgerChange } from '../../lib/types.ts';

type Wrapped = { events: LaneEvents; channel?: (channel: LaneChannel) => LaneChannel };

const wrapChannels =
  (wrap: (events: LaneEvents) => Wrapped): ((laneBroker: LaneBroker) => LaneBroker) =>
  (laneBroker) => ({
    async openLane(lane, events) {
      const wrapped = wrap(events);
      const channel = await laneBroker.openLane(lane, wrapped.events);
      return wrapped.channel?.(channel) ?? channel;
    },
  });

/** [R5] A wake for a user whose queue this channel has open is acked and forgotten. */
export const dropWakesOfLoaded = wrapChannels((events) => {
  const loaded = new Set<string>();
  return {
    events: {
      ...events,
      wake(userId, delivery) {
        if (loaded.has(userId)) delivery.ack();
        else events.wake(userId, delivery);
      },
    },
    channel: (channel) => ({
      ...channel,
      openUserQueue(userId) {
        loaded.add(userId);
        return channel.openUserQueue(userId);
      },
      deleteUserQueue(userId) {
        loaded.delete(userId);
        return channel.deleteUserQueue(userId);
      },
    }),
  };
});

/** [R6] */
export const dropCancels = wrapChannels((events) => ({ events: { ...events, userQueueCancelled: () => undefined } }));

/** A claim is answered at once, and made together with what follows it. */
export const claimLater = (commit: LedgerStore['commit']): LedgerStore['commit'] => {
  const owed = new Map<string, LedgerChange>();
  const nameOf = ({ userId, seq, token, attempt }: LedgerChange): string => `${userId}:${seq} ${token} ${attempt}`;
  return async (changes) => {
    const now = changes.filter(({ kind }) => kind !== 'claim');
    const claims = now.flatMap((change) => owed.get(nameOf(change)) ?? []);
    for (const change of changes) if (change.kind === 'claim') owed.set(nameOf(change), change);
    if (claims.length > 0) await commit(claims);
    const results = now.length > 0 ? await commit(now) : [];
    return changes.map((change): ChangeResult => (change.kind === 'claim' ? { applied: true } : results.shift()!));
  };
};

/** [R4] The asker's newest lease of each lane, whatever the lanes say. */
export const trustOwnLease = (lanes: LaneStore): LaneStore => {
  const own = new Map<number, number>();
  return {
    ...lanes,
    async takeLease(lane) {
      const lease = await lanes.takeLease(lane);
      own.set(lane, lease);
      return lease;
    },
    async leases(asked) {
      const leases = await lanes.leases(asked);
      return new Map(asked.map((lane) => [lane, own.get(lane) ?? leases.get(lane) ?? 0]));
    },
  };
};

async function* nobody(): AsyncGenerator<never> {}

/** A take-over reads nothing. */
export const loadNobody = (userQueues: UserQueueStore): UserQueueStore => ({ ...userQueues, notClosed: nobody });

/** The sweep finds nobody. */
export const findNobodyStuck = (userQueues: UserQueueStore): UserQueueStore => ({
  ...userQueues,
  stuck: async () => [],
});
