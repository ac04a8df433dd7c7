export type BackoffLimits = { retryBaseMs: number; retryMaxMs: number };

/**
 * How long to wait after the failure of this attempt (1 is the first): uniform between `retryBaseMs` and a bound that doubles
 * with every attempt up to `retryMaxMs`. The jitter is wide, so that what failed together does not return together.
 *
 * @param random uniform in [0, 1)
 */
export const retryDelayMs = (attempt: number, limits: BackoffLimits, random: number): number => {
  const bound = Math.min(limits.retryMaxMs, limits.retryBaseMs * 2 ** attempt);
  return Math.round(limits.retryBaseMs + random * Math.max(0, bound - limits.retryBaseMs));
};
