import { expect, test } from '@jest/globals';
import { describeStores, newLane } from './store-contract.ts';

describeStores('lanes', (ports) => {
  test('every acquisition gets the next lease, the first one 1', async () => {
    const lane = newLane();
    expect(await ports.lanes.takeLease(lane, 'a')).toBe(1);
    expect(await ports.lanes.takeLease(lane, 'a')).toBe(2);
  });

  test('concurrent first acquisitions of a lane get a lease each', async () => {
    const lane = newLane();
    const leases = await Promise.all(Array.from({ length: 30 }, () => ports.lanes.takeLease(lane, 'a')));
    expect(leases.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
  });

  test('a lane is taken away once from the worker that acquired it last, and from no other', async () => {
    const lane = newLane();
    expect(await ports.lanes.takeAway(lane, 'a')).toBe(false);
    await ports.lanes.takeLease(lane, 'b');
    await ports.lanes.takeLease(lane, 'a');
    expect(await ports.lanes.takeAway(lane, 'b')).toBe(false);
    const calls = await Promise.all(Array.from({ length: 10 }, () => ports.lanes.takeAway(lane, 'a')));
    expect(calls.filter(Boolean)).toHaveLength(1);
    expect(await ports.lanes.takeLease(lane, 'c')).toBe(3);
    expect(await ports.lanes.takeAway(lane, 'a')).toBe(false);
    expect(await ports.lanes.takeAway(lane, 'c')).toBe(true);
  });

  test('a lane that is given back can be taken away again, and no lane that has a new owner is given back', async () => {
    const lane = newLane();
    await ports.lanes.giveBack(lane, 'a');
    expect(await ports.lanes.takeAway(lane, 'a')).toBe(false);
    expect(await ports.lanes.takeLease(lane, 'a')).toBe(1);
    await ports.lanes.takeAway(lane, 'a');
    await ports.lanes.giveBack(lane, 'a');
    expect(await ports.lanes.takeAway(lane, 'a')).toBe(true);
    await ports.lanes.takeLease(lane, 'b');
    await ports.lanes.giveBack(lane, 'a');
    expect(await ports.lanes.takeAway(lane, 'a')).toBe(false);
    expect(await ports.lanes.takeAway(lane, 'b')).toBe(true);
  });

  test('leases are read together; a lane that was never acquired has 0', async () => {
    const [taken, other] = [newLane(), newLane()];
    await ports.lanes.takeLease(taken, 'a');
    expect(await ports.lanes.leases([taken, other])).toEqual(
      new Map([
        [taken, 1],
        [other, 0],
      ]),
    );
  });

  test('the known lanes are those that were ever acquired', async () => {
    const [taken, other] = [newLane(), newLane()];
    await ports.lanes.takeLease(taken, 'a');
    const known = await ports.lanes.known();
    expect(known).toContain(taken);
    expect(known).not.toContain(other);
  });
});
