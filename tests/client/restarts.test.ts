import { expect, test } from '@jest/globals';
import { followThroughRestarts } from './support/restarts.ts';

test('every client has every event once and in order, although the API is killed', async () => {
  const { faults, kills } = await followThroughRestarts({ clients: 10, seconds: 5, requests: 12, killEveryMs: 1_500 });
  expect(faults).toEqual([]);
  expect(kills).toBeGreaterThanOrEqual(1);
}, 120_000);
