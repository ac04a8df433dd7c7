import { expect, test } from '@jest/globals';
import { bucketCount, bucketOf, emptyWaits, waitPercentile } from '../../lib/wait-buckets.ts';

const waitsOf = (...times: number[]) => {
  const waits = emptyWaits();
  for (const ms of times) waits[bucketOf(ms)] = (waits[bucketOf(ms)] ?? 0) + 1;
  return waits;
};

test('a percentile is the upper end of the bucket that it falls into', () => {
  const waits = waitsOf(...Array.from({ length: 98 }, () => 3), 700, 90_000);
  expect([0.5, 0.95, 0.99, 1].map((share) => waitPercentile(waits, share))).toEqual([5, 5, 1_000, 300_000]);
});

test('without waits there is none, and what waited longer than all buckets counts as the longest', () => {
  expect(waitPercentile(emptyWaits(), 0.5)).toBeUndefined();
  expect(waitPercentile([], 0.5)).toBeUndefined();
  expect(waitPercentile(waitsOf(86_400_000), 0.5)).toBe(1_800_000);
  expect(bucketOf(86_400_000)).toBe(bucketCount - 1);
  expect(bucketOf(-5)).toBe(0);
});
