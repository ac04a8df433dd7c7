/** The measurement itself, with few users: every request is started, also after the kill. */
import { expect, test } from '@jest/globals';
import { measureManyUsers } from './many-users.ts';

test('the measurement of many users opens them, and finds a start for each request after a worker was killed', async () => {
  const options = { users: 100, lanes: 16, ratePerSecond: 20, seconds: 6 };
  const result = await measureManyUsers(options, () => undefined);
  expect(result.afterKill.requests).toBe(120);
  expect(result.brokerFiles).toBeGreaterThan(0);
  expect(result.queuesMs).toBeGreaterThanOrEqual(result.openedMs);
}, 300_000);
