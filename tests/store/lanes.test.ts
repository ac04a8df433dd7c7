import { expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import { openStores } from '../../lib/store/stores.ts';
import { testConfig } from '../support/servers.ts';
import { at, describeStores, newLane } from './store-contract.ts';

describeStores('lanes', (ports) => {
  test('every acquisition gets the next lease, the first one 1', async () => {
    const lane = newLane();
    expect(await ports.lanes.takeLease(lane, 'a', at(0))).toBe(1);
    expect(await ports.lanes.takeLease(lane, 'a', at(0))).toBe(2);
  });

  test('concurrent first acquisitions of a lane get a lease each', async () => {
    const lane = newLane();
    const leases = await Promise.all(Array.from({ length: 30 }, () => ports.lanes.takeLease(lane, 'a', at(0))));
    expect(leases.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
  });

  test('a lane is taken away once from the worker that acquired it last, and from no other', async () => {
    const lane = newLane();
    expect(await ports.lanes.takeAway(lane, 'a')).toBe(false);
    await ports.lanes.takeLease(lane, 'b', at(0));
    await ports.lanes.takeLease(lane, 'a', at(0));
    expect(await ports.lanes.takeAway(lane, 'b')).toBe(false);
    const calls = await Promise.all(Array.from({ length: 10 }, () => ports.lanes.takeAway(lane, 'a')));
    expect(calls.filter(Boolean)).toHaveLength(1);
    expect(await ports.lanes.takeLease(lane, 'c', at(0))).toBe(3);
    expect(await ports.lanes.takeAway(lane, 'a')).toBe(false);
    expect(await ports.lanes.takeAway(lane, 'c')).toBe(true);
  });

  test('a lane that is given back can be taken away again, and no lane that has a new owner is given back', async () => {
    const lane = newLane();
    await ports.lanes.giveBack(lane, 'a');
    expect(await ports.lanes.takeAway(lane, 'a')).toBe(false);
    expect(await ports.lanes.takeLease(lane, 'a', at(0))).toBe(1);
    await ports.lanes.takeAway(lane, 'a');
    await ports.lanes.giveBack(lane, 'a');
    expect(await ports.lanes.takeAway(lane, 'a')).toBe(true);
    await ports.lanes.takeLease(lane, 'b', at(0));
    await ports.lanes.giveBack(lane, 'a');
    expect(await ports.lanes.takeAway(lane, 'a')).toBe(false);
    expect(await ports.lanes.takeAway(lane, 'b')).toBe(true);
  });

  test('leases are read together; a lane that was never acquired has 0', async () => {
    const [taken, other] = [newLane(), newLane()];
    await ports.lanes.takeLease(taken, 'a', at(0));
    expect(await ports.lanes.leases([taken, other])).toEqual(
      new Map([
        [taken, 1],
        [other, 0],
      ]),
    );
  });

  test('the known lanes are those that were ever acquired', async () => {
    const [taken, other] = [newLane(), newLane()];
    await ports.lanes.takeLease(taken, 'a', at(0));
    const known = await ports.lanes.known();
    expect(known).toContain(taken);
    expect(known).not.toContain(other);
  });

  test('a lane says who took it under which lease, and when', async () => {
    const lane = newLane();
    await ports.lanes.takeLease(lane, 'a', at(1));
    await ports.lanes.takeLease(lane, '$owner', at(2));
    const moves = [
      { lease: 1, owner: 'a', at: at(1) },
      { lease: 2, owner: '$owner', at: at(2) },
    ];
    expect(await ports.lanes.moves(lane)).toEqual(moves);
    expect(await ports.lanes.moves(newLane())).toEqual([]);
    expect(await ports.lanes.all()).toContainEqual({ lane, lease: 2, owner: '$owner', moves });
    await ports.lanes.takeAway(lane, '$owner');
    expect(await ports.lanes.all()).toContainEqual({ lane, lease: 2, moves });
  });

  test('a lane keeps its last 20 moves, and loses none when several workers take it at once', async () => {
    const lane = newLane();
    await Promise.all(Array.from({ length: 25 }, (_, index) => ports.lanes.takeLease(lane, `w${index}`, at(index))));
    const moves = await ports.lanes.moves(lane);
    expect(moves.map(({ lease }) => lease)).toEqual(Array.from({ length: 20 }, (_, index) => index + 6));
    expect(new Set(moves.map(({ owner }) => owner)).size).toBe(20);
  });
});

test('a lane that an earlier version takes, before or in between, remembers the moves that later ones make', async () => {
  const config = testConfig();
  await using client = new mongoose.mongo.MongoClient(config.mongodbUrl);
  const documents = client.db().collection<{ _id: number; lease: number; owner: string }>('lanes');
  const stores = openStores(config);
  const takenByEarlier = (owner: string) =>
    documents.updateOne({ _id: 3 }, { $inc: { lease: 1 }, $set: { owner } }, { upsert: true });
  await takenByEarlier('old');
  expect(await stores.lanes.all()).toEqual([{ lane: 3, lease: 1, owner: 'old', moves: [] }]);
  expect(await stores.lanes.takeLease(3, 'new', at(1))).toBe(2);
  await takenByEarlier('old');
  expect(await stores.lanes.takeLease(3, 'new', at(2))).toBe(4);
  expect(await stores.lanes.moves(3)).toEqual([
    { lease: 2, owner: 'new', at: at(1) },
    { lease: 4, owner: 'new', at: at(2) },
  ]);
  await stores.drop();
  await stores.close();
});
