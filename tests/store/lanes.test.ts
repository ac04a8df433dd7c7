import { expect, test } from '@jest/globals';
import { describeStores, newLane } from './store-contract.ts';

describeStores('lanes', (ports) => {
  test('every acquisition gets the next lease, the first one 1', async () => {
    const lane = newLane();
    expect(await ports.lanes.takeLease(lane)).toBe(1);
    expect(await ports.lanes.takeLease(lane)).toBe(2);
  });

  test('concurrent first acquisitions of a lane get a lease each', async () => {
    const lane = newLane();
    const leases = await Promise.all(Array.from({ length: 30 }, () => ports.lanes.takeLease(lane)));
    expect(leases.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
  });

  test('leases are read together; a lane that was never acquired has 0', async () => {
    const [taken, other] = [newLane(), newLane()];
    await ports.lanes.takeLease(taken);
    expect(await ports.lanes.leases([taken, other])).toEqual(
      new Map([
        [taken, 1],
        [other, 0],
      ]),
    );
  });

  test('the known lanes are those that were ever acquired', async () => {
    const [taken, other] = [newLane(), newLane()];
    await ports.lanes.takeLease(taken);
    const known = await ports.lanes.known();
    expect(known).toContain(taken);
    expect(known).not.toContain(other);
  });
});
