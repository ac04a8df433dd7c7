import type { LaneStore } from '../ports.ts';
import type { Execute } from './connection.ts';
import { insertIfAbsent, native } from './native.ts';

export const laneStore = (execute: Execute): LaneStore => {
  /** The new lease; `undefined` for a lane that was never acquired. */
  const increment = (lane: number, owner: string): Promise<number | undefined> =>
    execute(async ({ lanes }) => {
      const after = await lanes
        .findOneAndUpdate({ _id: lane }, { $inc: { lease: 1 }, $set: { owner } }, { returnDocument: 'after' })
        .lean();
      return after?.lease;
    });

  /** Creates the lane's document with the first lease. Returns false when it exists. */
  const insertFirst = (lane: number, owner: string): Promise<boolean> =>
    execute(({ lanes }) => insertIfAbsent(lanes, { _id: lane, lease: 1, owner }));

  return {
    // In two steps, because concurrent upserts are not atomic: one may fail as a duplicate, or return no document.
    takeLease: async (lane, workerId) => {
      for (;;) {
        const lease = await increment(lane, workerId);
        if (lease !== undefined) return lease;
        if (await insertFirst(lane, workerId)) return 1;
      }
    },

    takeAway: (lane, workerId) =>
      execute(async ({ lanes }) => {
        const { modifiedCount } = await lanes.updateOne({ _id: lane, owner: workerId }, { $unset: { owner: 1 } });
        return modifiedCount === 1;
      }),

    giveBack: (lane, workerId) =>
      execute(async ({ lanes }) => {
        await lanes.updateOne({ _id: lane, owner: { $exists: false } }, { $set: { owner: workerId } });
      }),

    leases: (lanes) =>
      execute(async (models) => {
        const found = await native(models.lanes).find({ _id: { $in: lanes } });
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
