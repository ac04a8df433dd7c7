import { expect, test } from '@jest/globals';
import { followThroughRestarts } from './support/restarts.ts';

test('500 clients have every event once and in order, while the API is killed every 5 s for two minutes', async () => {
  const { faults, kills } = await followThroughRestarts({
    clients: 500,
    seconds: 120,
    requests: 40,
    killEveryMs: 5_000,
  });
  expect(faults).toEqual([]);
  expect(kills).toBeGreaterThanOrEqual(10);
}, 600_000);
