/** Waiting times as counts in buckets, which many processes can add up. */

/** The upper ends of the buckets in ms. Above the last one is one more bucket. */
const upperMs = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 1_800_000];

export const bucketCount = upperMs.length + 1;

export const emptyWaits = (): number[] => Array.from({ length: bucketCount }, () => 0);

export const bucketOf = (ms: number): number => {
  const index = upperMs.findIndex((upper) => ms <= upper);
  return index < 0 ? upperMs.length : index;
};

/**
 * The time below which this share of the waits was, in ms: the upper end of its bucket, so never too low, except above half an hour.
 * `undefined` without waits.
 */
export const waitPercentile = (waits: readonly number[], share: number): number | undefined => {
  const total = waits.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const rank = Math.max(1, Math.ceil(share * total));
  let seen = 0;
  const bucket = waits.findIndex((count) => {
    seen += count;
    return seen >= rank;
  });
  return upperMs[bucket] ?? upperMs.at(-1);
};
