/** What workers did in each minute of the last hours: the `minutes` collection. */
import type { WorkerStore } from '../ports.ts';
import { bucketCount } from '../wait-buckets.ts';
import type { Execute } from './connection.ts';

/** `_id` is `at` in ms since the epoch. `waits`: counts by the number of the bucket. */
export type MinuteDocument = {
  _id: number;
  at: Date;
  started?: number;
  done?: number;
  failed?: number;
  waits?: Record<string, number>;
};

export const minuteStore = (execute: Execute): Pick<WorkerStore, 'addToMinute' | 'minutes'> => ({
  addToMinute: (at, { waits, ...counts }) =>
    execute(async ({ minutes }) => {
      const buckets = waits.flatMap((count, bucket) => (count > 0 ? [[`waits.${bucket}`, count] as const] : []));
      const update = { $inc: { ...counts, ...Object.fromEntries(buckets) } };
      await minutes.updateOne({ _id: at.getTime() }, { ...update, $setOnInsert: { at } }, { upsert: true });
    }),

  minutes: (since) =>
    execute(async ({ minutes }) => {
      const found = await minutes
        .find({ _id: { $gte: since.getTime() } })
        .sort({ _id: 1 })
        .lean();
      return found.map(({ at, started = 0, done = 0, failed = 0, waits = {} }) => ({
        at,
        counts: {
          ...{ started, done, failed },
          waits: Array.from({ length: bucketCount }, (_, bucket) => waits[bucket] ?? 0),
        },
      }));
    }),
});
