import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import { Activity } from '../../lib/lanes/activity.ts';

test('what may be left to the next owner is waited for, until a handover begins', async () => {
  const activity = new Activity();
  expect(await activity.unlessEnding(Promise.resolve(1))).toBe(1);
  await expect(activity.unlessEnding(Promise.reject(new Error('no')))).rejects.toThrow('no');
  const endless = activity.unlessEnding(new Promise<never>(() => undefined));
  activity.beginEnd();
  expect(await endless).toBeUndefined();
  expect(await activity.unlessEnding(new Promise<never>(() => undefined))).toBeUndefined();
});

test('nothing is left of what was waited for while a lane is owned for days', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage: () => void = runInNewContext('gc');
  const activity = new Activity();
  const heapAfterWaits = async (times: number) => {
    for (let wait = 0; wait < times; wait += 1) await activity.unlessEnding(Promise.resolve());
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const before = await heapAfterWaits(1_000);
  const waits = 20_000;
  expect(((await heapAfterWaits(waits)) - before) / waits).toBeLessThan(100);
});
