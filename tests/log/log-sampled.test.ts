import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { logSampled } from '../../lib/log-sampled.ts';
import { readableLog, warn } from '../support/log-lines.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('a line that repeats is logged at once and then once a minute, with the number of repeats and the latest fields', () => {
  const { log, lines } = readableLog();
  for (let user = 0; user < 500; user += 1) logSampled(log, 'warn', { userId: `user ${user}` }, 'a queue was refused');
  logSampled(log, 'warn', { userId: 'ada' }, 'something else');
  expect(lines.map(({ msg, userId }) => [msg, userId])).toEqual([
    ['a queue was refused', 'user 0'],
    ['something else', 'ada'],
  ]);
  jest.advanceTimersByTime(60_000);
  expect(lines.slice(2)).toMatchObject([{ level: warn, msg: 'a queue was refused', userId: 'user 499', repeats: 499 }]);
});

test('a line that did not repeat for a minute is logged at once again, and leaves no timer', () => {
  const { log, lines } = readableLog();
  logSampled(log, 'warn', {}, 'a queue was refused');
  jest.advanceTimersByTime(60_000);
  expect(jest.getTimerCount()).toBe(0);
  logSampled(log, 'warn', {}, 'a queue was refused');
  expect(lines).toHaveLength(2);
});

test('each logger counts for itself', () => {
  const [first, second] = [readableLog(), readableLog()];
  for (const { log } of [first, second]) logSampled(log, 'warn', {}, 'a queue was refused');
  expect([first.lines.length, second.lines.length]).toEqual([1, 1]);
});
