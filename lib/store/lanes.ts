import type { LaneStore } from '../ports.ts';
import type { Execute } from './connection.ts';
import { insertIfAbsent } from './models.ts';

export const laneStore = (execute: Execute): LaneStore => {
  /** The new lease; `undefined` for a lane that was never taken. */
  const increment = (lane: number): Promise<number | undefined> =>
    execute(async ({ lanes }) => {
      const after = await lanes
        .findOneAndUpdate({ _id: lane }, { $inc: { lease: 1 } }, { returnDocument: 'after' })
        .lean();
      return after?.lease;
    });

  /** Returns whether this call made the lane's document, with the first lease. */
  const insertFirst = (lane: number): Promise<boolean> =>
    execute(({ lanes }) => insertIfAbsent(lanes, { _id: lane, lease: 1 }));

  return {
    // In two steps, because an upsert is no single step where many meet: it may fail as a duplicate, or answer nothing.
    takeLease: async (lane) => {
      for (;;) {
        const lease = await increment(lane);
        if (lease !== undefined) return lease;
        if (await insertFirst(lane)) return 1;
      }
    },

    leases: (lanes) =>
      execute(async (models) => {
        const found = await models.lanes.find({ _id: { $in: lanes } }).lean();
        const leases = new Map(found.map(({ _id, lease }) => [_id, lease]));
        return new Map(lanes.map((lane) => [lane, leases.get(lane) ?? 0]));
      }),

    known: () =>
      execute(async ({ lanes }) => {
        const found = await lanes.find({}, { _id: 1 }).lean();
        return found.map(({ _id }) => _id).sort((a, b) => a - b);
      }),
  };
};
