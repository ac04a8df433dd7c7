/** How workers share the lanes: each compares what it owns with its fair share and hands the surplus over. */
import type { LaneHold } from './lane-hold.ts';
import type { LaneUsers } from './lane-users.ts';
import type { Share } from './share.ts';

/** The lanes to hand over, those without runs first. */
export const chooseSurplus = <T extends { users: Pick<LaneUsers, 'workingCount'> }>(owned: T[], share: number): T[] =>
  [...owned].sort((a, b) => a.users.workingCount - b.users.workingCount).slice(0, Math.max(0, owned.length - share));

/** What this worker owns beyond its share. */
export const surplusOf = async (owned: LaneHold[], share: Pick<Share, 'size'>): Promise<LaneHold[]> => {
  const [sample] = owned;
  return sample ? chooseSurplus(owned, share.size(await sample.consumerCount())) : [];
};
