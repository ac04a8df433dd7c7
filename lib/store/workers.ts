import type { WorkerStore } from '../ports.ts';
import type { Call } from './connection.ts';

export const workerStore = (call: Call): WorkerStore => ({
  report: ({ workerId, lanes, at }) =>
    call(async ({ workers }) => {
      await workers.updateOne({ _id: workerId }, { $set: { lanes, at } }, { upsert: true });
    }),

  remove: (workerId) =>
    call(async ({ workers }) => {
      await workers.deleteOne({ _id: workerId });
    }),

  since: (after) =>
    call(async ({ workers }) => {
      const found = await workers.find({ at: { $gt: after } }).lean();
      return found.map(({ _id, lanes, at }) => ({ workerId: _id, lanes, at }));
    }),
});
