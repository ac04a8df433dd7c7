/** What a measurement must have shown, so that it says something, and says it well. */

export type Measured = {
  name: string;
  /** Runs under way when the fault came. */
  inFlight: number;
  usersHit: number;
  /** How long the worst of them waited for its next start. */
  worstMs: number;
  limitMs: number;
  from: 'fromStartMs' | 'fromEndMs';
  /** Of any one user, after the fault. */
  mostRepeats: number;
};

/** Of 1,000 users; a few are between two runs. */
const leastInFlight = 800;
/** One worker's death is one repeat. */
const mostRepeats = 1;

/** In words; none when all is as it must be. */
export const shortfallsOf = (measured: Measured): string[] => {
  const { inFlight, usersHit, worstMs, limitMs } = measured;
  const shortfalls = [
    inFlight < leastInFlight && `fewer than ${leastInFlight} runs in flight`,
    usersHit === 0 && 'nobody hit',
    usersHit > 0 && worstMs > limitMs && 'too late',
    measured.mostRepeats > mostRepeats && `more than ${mostRepeats} repeat of a user`,
  ];
  return shortfalls.filter((shortfall) => shortfall !== false);
};
