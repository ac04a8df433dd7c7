import { expect, test } from '@jest/globals';
import { LaneOwners } from '../../lib/lanes/lane-owners.ts';

const at = (seconds: number) => new Date(1_700_000_000_000 + seconds * 1_000);
const heartbeat = (workerId: string, lanes: number[], seconds: number) => ({ workerId, lanes, at: at(seconds) });

test('nothing is known before the first heartbeats were read', () => {
  expect(new LaneOwners().without(2, [], 0)).toBeUndefined();
});

test('a lane has an owner when this worker owns it or the heartbeat of another one names it', () => {
  const owners = new LaneOwners();
  owners.note([heartbeat('a', [0], 0), heartbeat('b', [2, 9], 0)], 0);
  expect(owners.without(5, [3], 0)).toEqual([1, 4]);
});

test('a worker is alive while its heartbeat changes, whatever its clock shows', () => {
  const owners = new LaneOwners();
  for (let second = 0; second < 60; second += 1) {
    owners.note([heartbeat('behind', [0], second - 300), heartbeat('ahead', [1], second + 300)], second * 1_000);
  }
  expect(owners.without(2, [], 60_000)).toEqual([]);
});

test('the lanes of a worker whose heartbeat has not changed for 5 s have no owner', () => {
  const owners = new LaneOwners();
  for (const second of [0, 1, 2, 3, 4, 5]) owners.note([heartbeat('a', [0], 0)], second * 1_000);
  expect(owners.without(1, [], 5_000)).toEqual([]);
  owners.note([heartbeat('a', [0], 0)], 5_001);
  expect(owners.without(1, [], 5_001)).toEqual([0]);
  owners.note([heartbeat('a', [0], 1)], 6_000);
  expect(owners.without(1, [], 6_000)).toEqual([]);
});

test('while heartbeats cannot be read, only the lanes of this worker have a known owner', () => {
  const owners = new LaneOwners();
  owners.note([heartbeat('a', [0], 0)], 0);
  expect(owners.without(2, [1], 5_001)).toEqual([0]);
});
