export type BackoffLimits = { retryBaseMs: number; retryMaxMs: number };

/**
 * The pause after the failure of an attempt (1 is the first), in ms: uniform between `retryBaseMs` and a bound that doubles with
 * every attempt up to `retryMaxMs`. The jitter is wide, so that requests that failed together do not come back together.
 *
 * No library does this: they read the clock and `Math.random` themselves, and the simulation must control both.
 *
 * @param random uniform in [0, 1)
 */
export const retryDelayMs = (attempt: number, limits: BackoffLimits, random: number): number => {
  const bound = Math.min(limits.retryMaxMs, limits.retryBaseMs * 2 ** attempt);
  return Math.round(limits.retryBaseMs + random * Math.max(0, bound - limits.retryBaseMs));
};
