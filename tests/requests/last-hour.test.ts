/** The minutes of the last hour, in MongoDB: what is over is read once, and the sums are right all the same. */
import { expect, test } from '@jest/globals';
import { createLastHour } from '../../lib/requests/last-hour.ts';
import { bucketCount } from '../../lib/wait-buckets.ts';
import { openWorld } from '../support/world.ts';

const minuteMs = 60_000;

test('minutes that are over are read once, and leave after an hour', async () => {
  await using world = await openWorld();
  const { workers } = world.stores;
  const start = Math.floor(Date.now() / minuteMs) * minuteMs;
  const minute = (number: number) => new Date(start + number * minuteMs);
  const note = (number: number, done: number) =>
    workers.addToMinute(minute(number), { started: 0, done, failed: 0, waits: Array(bucketCount).fill(0) });
  const asked: number[] = [];
  const lastHour = createLastHour({
    minutes: (since) => {
      asked.push(Math.round((since.getTime() - start) / minuteMs));
      return workers.minutes(since);
    },
  });
  const doneAt = async (number: number) => (await lastHour(minute(number))).map(({ counts }) => counts.done);
  await note(-30, 5);
  await note(0, 1);
  expect(await doneAt(0)).toEqual([5, 1]);
  await note(0, 2);
  expect(await doneAt(1)).toEqual([5, 3]);
  expect(await doneAt(10)).toEqual([5, 3]);
  await note(9, 4);
  expect(await doneAt(11)).toEqual([5, 3, 4]);
  expect(asked).toEqual([-60, -2, -1, 8]);
  expect(await doneAt(31)).toEqual([3, 4]);
  // Nobody has looked for long: then all of the hour is read.
  expect(await doneAt(200)).toEqual([]);
  // No worker writes so late. If one did, nobody would read it again.
  await note(150, 6);
  expect(await doneAt(200)).toEqual([]);
});
