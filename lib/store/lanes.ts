import type { LaneStore } from '../ports.ts';
import type { Call } from './connection.ts';
import { isDuplicate } from './unavailable.ts';

export const laneStore = (call: Call): LaneStore => {
  const increment = (lane: number) =>
    call(async ({ lanes }) => {
      const after = await lanes
        .findOneAndUpdate({ _id: lane }, { $inc: { lease: 1 } }, { upsert: true, returnDocument: 'after' })
        .lean();
      return after.lease;
    });

  return {
    takeLease: async (lane) => {
      try {
        return await increment(lane);
      } catch (error) {
        // Two workers made the lane's document at once; now it is there.
        if (isDuplicate(error)) return increment(lane);
        throw error;
      }
    },

    leases: (lanes) =>
      call(async (models) => {
        const found = await models.lanes.find({ _id: { $in: lanes } }).lean();
        const leases = new Map(found.map(({ _id, lease }) => [_id, lease]));
        return new Map(lanes.map((lane) => [lane, leases.get(lane) ?? 0]));
      }),

    known: () =>
      call(async ({ lanes }) => {
        const found = await lanes.find({}, { _id: 1 }).lean();
        return found.map(({ _id }) => _id).sort((a, b) => a - b);
      }),
  };
};
