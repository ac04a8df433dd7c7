import type { WorkerStore } from '../ports.ts';
import type { Execute } from './connection.ts';
import { minuteStore } from './minutes.ts';

export const workerStore = (execute: Execute): WorkerStore => ({
  report: ({
    workerId,
    lanes,
    unresponsive,
    away = false,
    gone = false,
    beatMs,
    busy,
    statistics,
    demand,
    moves,
    at,
  }) =>
    execute(async ({ workers }) => {
      const heartbeat = {
        lanes,
        unresponsive,
        away,
        gone,
        at,
        ...(beatMs && { beatMs }),
        ...(busy && { busy }),
        ...(statistics && { statistics }),
        ...(demand && { demand }),
        ...(moves && { moves }),
      };
      await workers.updateOne({ _id: workerId }, { $set: heartbeat }, { upsert: true });
    }),

  remove: (workerId) =>
    execute(async ({ workers }) => {
      await workers.deleteOne({ _id: workerId });
    }),

  all: () =>
    execute(async ({ workers }) => {
      const found = await workers.find().lean();
      return found.map(({ _id, unresponsive = [], ...heartbeat }) => ({ workerId: _id, unresponsive, ...heartbeat }));
    }),

  ...minuteStore(execute),
});
