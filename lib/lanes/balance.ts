/** How workers share the lanes: each compares what it owns with its fair share and hands the surplus over. */
import type { LaneHold } from './lane-hold.ts';
import type { LaneUsers } from './lane-users.ts';
import type { Share } from './share.ts';

/** The lanes to hand over, those without runs first. */
export const chooseSurplus = <T extends { users: Pick<LaneUsers, 'workingCount'> }>(owned: T[], share: number): T[] =>
  [...owned].sort((a, b) => a.users.workingCount - b.users.workingCount).slice(0, Math.max(0, owned.length - share));

/** Hands over what this worker owns beyond its share. */
export const balance = async (
  owned: LaneHold[],
  share: Pick<Share, 'size'>,
  handOver: (hold: LaneHold) => Promise<void>,
): Promise<void> => {
  const [sample] = owned;
  if (!sample) return;
  const surplus = chooseSurplus(owned, share.size(await sample.consumerCount()));
  await Promise.all(
    surplus.map(async (hold) => {
      if ((await hold.consumerCount()) !== 1) await handOver(hold);
    }),
  );
};
