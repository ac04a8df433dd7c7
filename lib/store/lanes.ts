import type { LaneMove, LaneStore } from '../ports.ts';
import type { Execute } from './connection.ts';
import { insertIfAbsent, native } from './native.ts';

/** Enough for the deployments of a day or two. */
const maxMoves = 20;

/** For a pipeline: the lane's moves with one more. `move` holds expressions. */
const movesWith = (move: object) => ({
  $slice: [{ $concatArrays: [{ $ifNull: ['$moves', []] }, [move]] }, -maxMoves],
});

export const laneStore = (execute: Execute): LaneStore => {
  /** The new lease; `undefined` for a lane that was never acquired. */
  const increment = (lane: number, { owner, at }: Omit<LaneMove, 'lease'>): Promise<number | undefined> =>
    execute(async ({ lanes }) => {
      const lease = { $add: ['$lease', 1] };
      const moves = movesWith({ lease, owner: { $literal: owner }, at });
      const update = [{ $set: { lease, owner: { $literal: owner }, moves } }];
      const options = { returnDocument: 'after', projection: { lease: 1 } } as const;
      return (await native(lanes).findOneAndUpdate({ _id: lane }, update, options))?.lease;
    });

  /** Creates the lane's document with the first lease. Returns false when it exists. */
  const insertFirst = (lane: number, move: LaneMove): Promise<boolean> =>
    execute(({ lanes }) => insertIfAbsent(lanes, { _id: lane, lease: move.lease, owner: move.owner, moves: [move] }));

  return {
    // In two steps, because concurrent upserts are not atomic: one may fail as a duplicate, or return no document.
    takeLease: async (lane, workerId, now) => {
      const move = { owner: workerId, at: now };
      for (;;) {
        const lease = await increment(lane, move);
        if (lease !== undefined) return lease;
        if (await insertFirst(lane, { lease: 1, ...move })) return 1;
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
        const found = await native(models.lanes).find({ _id: { $in: lanes } }, { projection: { lease: 1 } });
        const leases = new Map(found.map(({ _id, lease }) => [_id, lease]));
        return new Map(lanes.map((lane) => [lane, leases.get(lane) ?? 0]));
      }),

    known: () =>
      execute(async ({ lanes }) => {
        const found = await lanes.find({}, { _id: 1 }).lean();
        return found.map(({ _id }) => _id).sort((a, b) => a - b);
      }),

    all: () =>
      execute(async ({ lanes }) => {
        const found = await native(lanes).find({}, { sort: { _id: 1 } });
        return found.map(({ _id, moves = [], ...lane }) => ({ lane: _id, ...lane, moves }));
      }),

    moves: (lane) =>
      execute(async ({ lanes }) => {
        const [found] = await native(lanes).find({ _id: lane }, { projection: { moves: 1 } });
        return found?.moves ?? [];
      }),
  };
};
