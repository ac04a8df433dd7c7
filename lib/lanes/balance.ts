/** How workers share the lanes: each compares what it owns with its fair share and hands the surplus over. */
import { isAhead } from '../database-clock.ts';
import { heartbeatValidMs } from '../heartbeat-times.ts';
import type { LaneDeps } from './context.ts';
import type { LaneHold } from './lane-hold.ts';
import type { LaneUsers } from './lane-users.ts';
import type { Share } from './share.ts';

/** The lanes to hand over, those without runs first. */
export const chooseSurplus = <T extends { users: Pick<LaneUsers, 'workingCount'> }>(owned: T[], share: number): T[] =>
  [...owned].sort((a, b) => a.users.workingCount - b.users.workingCount).slice(0, Math.max(0, owned.length - share));

/** How long the first try to hand a lane over waits for its runs to end. The lane starts no run meanwhile. */
const firstTimeoutMs = 2_000;
/** A lane whose runs did not end in time works on for this many times as long before the next try. */
const restFactor = 4;

type Delayed = { timeoutMs: number; notBefore: number };

/** One worker's part in the balance. Lanes with long runs get a longer timeout with each try, and work on in between. */
export const createBalance = (
  deps: Pick<LaneDeps, 'clock' | 'workers'> & { config: Pick<LaneDeps['config'], 'graceMs'> },
  share: Share,
) => {
  const { clock, config, workers } = deps;
  const delayed = new Map<number, Delayed>();

  const handOver = async (hold: LaneHold, stopping: AbortSignal): Promise<void> => {
    const { timeoutMs } = delayed.get(hold.lane) ?? { timeoutMs: firstTimeoutMs };
    const timeout = new AbortController();
    const cancel = clock.after(timeoutMs, () => timeout.abort());
    const handedOver = await hold.handOver('handed-over', AbortSignal.any([timeout.signal, stopping]));
    cancel();
    if (handedOver) delayed.delete(hold.lane);
    else {
      const longer = Math.max(firstTimeoutMs, Math.min(timeoutMs * 2, config.graceMs));
      delayed.set(hold.lane, { timeoutMs: longer, notBefore: clock.monotonicMs() + restFactor * timeoutMs });
    }
  };

  /** One comparison of the lanes owned now. */
  return async (owned: LaneHold[], stopping: AbortSignal): Promise<void> => {
    const [sample] = owned;
    if (!sample) return;
    const date = clock.now();
    const heartbeats = await workers.since(new Date(date.getTime() - heartbeatValidMs));
    share.noteHeartbeats(heartbeats.filter(({ at }) => !isAhead(at, date)));
    const consumers = await sample.consumerCount();
    const now = clock.monotonicMs();
    const surplus = chooseSurplus(owned, share.size(consumers)).filter(
      ({ lane }) => (delayed.get(lane)?.notBefore ?? 0) <= now,
    );
    await Promise.all(
      surplus.map(async (hold) => {
        if ((await hold.consumerCount()) > 1) await handOver(hold, stopping);
      }),
    );
  };
};
