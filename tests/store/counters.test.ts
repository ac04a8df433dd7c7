import { afterAll, beforeAll, expect, test } from '@jest/globals';
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

test('a counter with a limit allows exactly so many, to all processes together, however many ask at once', async () => {
  const key = uniqueName('key');
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      (index % 2 ? stores : other).counters.take(key, { limit: 7, seconds: 600 }),
    ),
  );
  const refused = answers.filter((msLeft) => msLeft !== undefined);
  expect(refused).toHaveLength(33);
  for (const msLeft of refused) {
    expect(msLeft).toBeGreaterThan(500_000);
    expect(msLeft).toBeLessThanOrEqual(600_000);
  }
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
