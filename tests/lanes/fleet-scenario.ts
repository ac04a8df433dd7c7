/** Workers start together, a quarter dies at once, and as many join at once. */
import { expect } from '@jest/globals';
import { seededRandom } from '../chaos/random.ts';
import { createFleet } from './fleet.ts';

type Fleet = { type: 'classic' | 'quorum'; lanes: number; workers: number };

const mostRounds = 8;
const longestMs = 60_000;
const calmMs = 20_000;

export const expectFleetToShare = ({ type, lanes, workers }: Fleet): void => {
  const fleet = createFleet({ lanes, random: seededRandom(11), quorum: type === 'quorum' });
  const expectShared = (among: number) => {
    expect(fleet.roundsUntilShared(longestMs)).toBeLessThanOrEqual(mostRounds);
    expect(fleet.lanesWithoutOwner()).toBe(0);
    const sizes = new Set(fleet.shares());
    expect([...sizes].every((size) => Math.abs(size - lanes / among) < 1)).toBe(true);
  };
  fleet.join(workers);
  expectShared(workers);
  fleet.kill(Math.floor(workers / 4));
  expectShared(workers - Math.floor(workers / 4));
  fleet.join(Math.floor(workers / 4));
  expectShared(workers);
  // From then on no lane moves.
  const leases = fleet.leases();
  fleet.pass(calmMs);
  expect(fleet.leases()).toEqual(leases);
};
