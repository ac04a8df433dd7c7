/**
 * The conditions that a measurement must fulfil: it must hit enough runs to be meaningful, and stay within its limits.
 */

export type Measured = {
  name: string;
  /** The number of runs in progress when the fault came. */
  inFlight: number;
  usersHit: number;
  /** The longest time that one of these users waited for its next start. */
  worstMs: number;
  limitMs: number;
  from: 'fromStartMs' | 'fromEndMs';
  /** The highest number of repeated runs of one user after the fault. */
  mostRepeats: number;
};

/** Of 1,000 users, a few are between two runs. */
const minInFlight = 800;
/** The death of one worker causes one repeat. */
const maxRepeats = 1;

/** Describes each unmet condition in words. Returns an empty list when all are met. */
export const shortfallsOf = (measured: Measured): string[] => {
  const { inFlight, usersHit, worstMs, limitMs } = measured;
  const shortfalls = [
    inFlight < minInFlight && `fewer than ${minInFlight} runs in flight`,
    usersHit === 0 && 'no user hit',
    usersHit > 0 && worstMs > limitMs && 'too late',
    measured.mostRepeats > maxRepeats && `more than ${maxRepeats} repeat for a user`,
  ];
  return shortfalls.filter((shortfall) => shortfall !== false);
};
