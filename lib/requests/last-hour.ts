/** The minutes of the last hour. A process reads each of them until it is over, and then not again. */
import type { Minute, WorkerStore } from '../ports.ts';

const hourMs = 3_600_000;
/** Workers write a minute down some seconds after its end. */
const writtenForMs = 120_000;

export const createLastHour = ({ minutes }: Pick<WorkerStore, 'minutes'>) => {
  let known: Minute[] = [];
  /** All minutes before are known, and will not change. */
  let knownBefore = 0;
  return async (now: Date): Promise<Minute[]> => {
    const hourAgo = now.getTime() - hourMs;
    const since = Math.max(hourAgo, Math.min(knownBefore, now.getTime() - writtenForMs));
    const read = await minutes(new Date(since));
    const before = known.filter(({ at }) => at.getTime() >= hourAgo && at.getTime() < since);
    known = [...before, ...read];
    knownBefore = now.getTime() - writtenForMs;
    return known;
  };
};
