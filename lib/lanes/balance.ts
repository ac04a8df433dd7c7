/** How workers share the lanes: each compares what it owns with its fair part and hands the surplus over. */
import { heartbeatValidMs } from '../heartbeat.ts';
import type { LaneDeps } from './context.ts';
import type { LaneHold } from './lane-hold.ts';
import type { Share } from './share.ts';

/** The lanes to hand over, those without runs first. */
export const chooseSurplus = <T extends Pick<LaneHold, 'lane' | 'workingCount'>>(owned: T[], share: number): T[] =>
  [...owned].sort((a, b) => a.workingCount() - b.workingCount()).slice(0, Math.max(0, owned.length - share));

/** How long a lane first waits for its runs to end. It starts none meanwhile. */
const firstPatienceMs = 2_000;
/** A lane whose runs did not end in time works on for this many times as long before it is asked again. */
const restFactor = 4;

type Reluctance = { patienceMs: number; notBefore: number };

/** One worker's part in the balance. Lanes with long runs are given more patience each time, and rest in between. */
export const createBalance = (
  deps: Pick<LaneDeps, 'clock' | 'workers'> & { config: Pick<LaneDeps['config'], 'graceMs'> },
  share: Share,
) => {
  const { clock, config, workers } = deps;
  const reluctant = new Map<number, Reluctance>();

  const handOver = async (hold: LaneHold, stopping: AbortSignal): Promise<void> => {
    const { patienceMs } = reluctant.get(hold.lane) ?? { patienceMs: firstPatienceMs };
    const patience = new AbortController();
    const cancel = clock.after(patienceMs, () => patience.abort());
    const handedOver = await hold.handOver('handed-over', AbortSignal.any([patience.signal, stopping]));
    cancel();
    if (handedOver) reluctant.delete(hold.lane);
    else {
      const longer = Math.max(firstPatienceMs, Math.min(patienceMs * 2, config.graceMs));
      reluctant.set(hold.lane, { patienceMs: longer, notBefore: clock.now().getTime() + restFactor * patienceMs });
    }
  };

  /** One round over the lanes owned now. */
  return async (owned: LaneHold[], stopping: AbortSignal): Promise<void> => {
    const [sample] = owned;
    if (!sample) return;
    share.hear(await workers.since(new Date(clock.now().getTime() - heartbeatValidMs)));
    const consumers = await sample.consumerCount();
    const now = clock.now().getTime();
    const surplus = chooseSurplus(owned, share.size(consumers)).filter(
      ({ lane }) => (reluctant.get(lane)?.notBefore ?? 0) <= now,
    );
    await Promise.all(
      surplus.map(async (hold) => {
        if ((await hold.consumerCount()) > 1) await handOver(hold, stopping);
      }),
    );
  };
};
