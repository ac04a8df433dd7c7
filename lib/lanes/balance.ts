/** How workers share the lanes: each compares what it owns with its fair part and hands the surplus over. */
import type { LaneHold } from './lane-hold.ts';

/** The part of `lanes` that one of `workers` should own at most. */
export const fairShare = (lanes: number, workers: number): number => Math.ceil(lanes / Math.max(1, workers));

/** The lanes to hand over, those without runs first. */
export const chooseSurplus = <T extends Pick<LaneHold, 'lane' | 'workingCount'>>(owned: T[], share: number): T[] =>
  [...owned].sort((a, b) => a.workingCount() - b.workingCount()).slice(0, Math.max(0, owned.length - share));
