import type { WorkerStore } from '../ports.ts';
import type { Execute } from './connection.ts';

export const workerStore = (execute: Execute): WorkerStore => ({
  report: ({ workerId, lanes, stopping = false, at }) =>
    execute(async ({ workers }) => {
      await workers.updateOne({ _id: workerId }, { $set: { lanes, stopping, at } }, { upsert: true });
    }),

  remove: (workerId) =>
    execute(async ({ workers }) => {
      await workers.deleteOne({ _id: workerId });
    }),

  all: () =>
    execute(async ({ workers }) => {
      const found = await workers.find().lean();
      return found.map(({ _id, lanes, stopping, at }) => ({ workerId: _id, lanes, stopping, at }));
    }),
});
