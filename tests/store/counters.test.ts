import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { StoreUnavailableError } from '../../lib/errors.ts';
import { counterStore } from '../../lib/store/counters.ts';
import type { Models } from '../../lib/store/models.ts';
import { openStores, type Stores } from '../../lib/store/stores.ts';
import { testConfig, uniqueName } from '../support/servers.ts';
import { eventually } from '../support/world.ts';

const config = testConfig();
let stores: Stores;
let other: Stores;

beforeAll(() => {
  stores = openStores(config);
  other = openStores(config);
});
afterAll(async () => {
  await stores.drop();
  await Promise.all([stores.close(), other.close()]);
});

const limit = { limit: 7, seconds: 600 };
const takeAtOnce = (key: string, calls: number) =>
  Promise.all(Array.from({ length: calls }, (_, index) => (index % 2 ? stores : other).counters.take(key, limit)));

test('a counter with a limit allows exactly so many, to all processes together, however many ask at once', async () => {
  const key = uniqueName('key');
  expect(await stores.counters.take(key, limit)).toBeUndefined();
  const refused = (await takeAtOnce(key, 39)).filter((msLeft) => msLeft !== undefined);
  expect(refused).toHaveLength(33);
  for (const msLeft of refused) {
    expect(msLeft).toBeGreaterThan(500_000);
    expect(msLeft).toBeLessThanOrEqual(600_000);
  }
});

test('calls that start a counter at once are all counted, and no more than its limit are allowed', async () => {
  for (let round = 0; round < 10; round += 1) {
    const key = uniqueName('key');
    const allowed = (await takeAtOnce(key, 20)).filter((msLeft) => msLeft === undefined);
    expect(allowed.length).toBeLessThanOrEqual(7);
    expect((await stores.counters.read(key))?.count).toBe(20);
  }
});

test.each([
  ['a counter that is full', { points: 20 }, { status: 'fulfilled', value: expect.any(Number) }],
  ['a counter with room', { points: 7 }, { status: 'fulfilled', value: undefined }],
  ['no counter', null, { status: 'rejected', reason: expect.any(StoreUnavailableError) }],
])('an addition that returns no document is answered by what is read then: %s', async (_what, found, answer) => {
  const expire = new Date(Date.now() + 600_000);
  const collection = { findOneAndUpdate: async () => null, findOne: async () => found && { ...found, expire } };
  const models = { counters: { collection, db: { get: () => 1_000 } } } as unknown as Models;
  const [said] = await Promise.allSettled([counterStore((operate) => operate(models)).take('key', limit)]);
  expect(said).toEqual(answer);
});

test('a counter counts additions, until it is removed', async () => {
  const key = uniqueName('key');
  expect(await stores.counters.read(key)).toBeUndefined();
  expect((await stores.counters.add(key, 600)).count).toBe(1);
  expect((await other.counters.add(key, 600)).count).toBe(2);
  expect((await stores.counters.read(key))?.count).toBe(2);
  await other.counters.remove(key);
  await other.counters.remove(key);
  expect(await stores.counters.read(key)).toBeUndefined();
});

test('a counter ends when its time is over, and the next addition starts it again', async () => {
  const key = uniqueName('key');
  await stores.counters.add(key, 1);
  await eventually('the counter has ended', async () => (await other.counters.read(key)) === undefined);
  expect((await other.counters.add(key, 600)).count).toBe(1);
});

test('a counter can be set, with a time of its own', async () => {
  const key = uniqueName('key');
  await stores.counters.add(key, 1);
  await stores.counters.set(key, 5, 600);
  const counter = await stores.counters.read(key);
  expect(counter?.count).toBe(5);
  expect(counter?.msLeft).toBeGreaterThan(500_000);
});
