import { expect, test } from '@jest/globals';
import { describeStores, newLane } from './store-contract.ts';

describeStores('lanes', (ports) => {
  test('every take-over gets the next lease, the first one 1', async () => {
    const lane = newLane();
    expect(await ports.lanes.takeLease(lane)).toBe(1);
    expect(await ports.lanes.takeLease(lane)).toBe(2);
  });

  test('concurrent take-overs of a lane that nobody took before get a lease each', async () => {
    const lane = newLane();
    const leases = await Promise.all(Array.from({ length: 30 }, () => ports.lanes.takeLease(lane)));
    expect(leases.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
  });

  test('leases are read together, 0 for a lane never taken', async () => {
    const [taken, other] = [newLane(), newLane()];
    await ports.lanes.takeLease(taken);
    expect(await ports.lanes.leases([taken, other])).toEqual(
      new Map([
        [taken, 1],
        [other, 0],
      ]),
    );
  });

  test('the known lanes are those ever taken', async () => {
    const [taken, other] = [newLane(), newLane()];
    await ports.lanes.takeLease(taken);
    const known = await ports.lanes.known();
    expect(known).toContain(taken);
    expect(known).not.toContain(other);
  });
});
