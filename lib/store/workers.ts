import type { WorkerStore } from '../ports.ts';
import type { Execute } from './connection.ts';

export const workerStore = (execute: Execute): WorkerStore => ({
  report: ({ workerId, lanes, unresponsive, at }) =>
    execute(async ({ workers }) => {
      await workers.updateOne({ _id: workerId }, { $set: { lanes, unresponsive, at } }, { upsert: true });
    }),

  remove: (workerId) =>
    execute(async ({ workers }) => {
      await workers.deleteOne({ _id: workerId });
    }),

  since: (after) =>
    execute(async ({ workers }) => {
      const found = await workers.find({ at: { $gt: after } }).lean();
      return found.map(({ _id, lanes, unresponsive = [], at }) => ({ workerId: _id, lanes, unresponsive, at }));
    }),
});
