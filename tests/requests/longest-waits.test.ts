import { expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import { StoreUnavailableError } from '../../lib/errors.ts';
import { createLongestWaits } from '../../lib/requests/longest-waits.ts';
import { type ListedUser, listUsers } from '../../lib/requests/users.ts';
import type { VerdictCode } from '../../lib/requests/verdict.ts';
import { FakeClock } from '../../lib/testing/fake-clock.ts';
import { createMemoryStores } from '../../lib/testing/memory-stores.ts';
import { newUserId } from '../store/store-contract.ts';

const steppedClock = () => {
  let ms = 1_000_000;
  return {
    clock: { monotonicMs: () => ms, now: () => new Date(ms), after: systemClock.after },
    pass: (more: number) => {
      ms += more;
    },
  };
};

const open = () => {
  const { clock, pass } = steppedClock();
  const longestWaits = createLongestWaits();
  let reads = 0;
  const list = async (): Promise<ListedUser[]> => {
    reads += 1;
    return [];
  };
  return { pass, reads: () => reads, look: (changes: string) => longestWaits(changes, clock, list) };
};

test('who waits longest is read again half a minute later, where nothing has changed', async () => {
  const { pass, reads, look } = open();
  const { at } = await look('a');
  pass(29_999);
  expect(await look('a')).toEqual({ at, users: [] });
  expect(reads()).toBe(1);
  pass(1);
  expect((await look('a')).at.getTime()).toBe(at.getTime() + 30_000);
  expect(reads()).toBe(2);
});

test('a change is read at once, and the next ones every two and a half seconds', async () => {
  const { pass, reads, look } = open();
  await look('a');
  pass(10_000);
  await look('b');
  expect(reads()).toBe(2);
  for (const changes of ['c', 'd']) {
    pass(1_000);
    await look(changes);
  }
  expect(reads()).toBe(2);
  pass(500);
  await look('e');
  expect(reads()).toBe(3);
});

/** Reads that end when the test says so. */
const openSlow = () => {
  const clock = new FakeClock(new Date());
  const longestWaits = createLongestWaits();
  const reads: ReturnType<typeof Promise.withResolvers<ListedUser[]>>[] = [];
  const list = (): Promise<ListedUser[]> => {
    const read = Promise.withResolvers<ListedUser[]>();
    reads.push(read);
    return read.promise;
  };
  return { clock, reads, look: (changes: string) => longestWaits(changes, clock, list) };
};
const ada = { userId: 'ada' } as ListedUser;

test('while MongoDB does not answer, the last ones stay, and the next look tries again', async () => {
  const { clock, reads, look } = openSlow();
  const first = look('a');
  reads[0]?.reject(new StoreUnavailableError('MongoDB does not answer'));
  expect(await first).toEqual({ at: clock.now(), users: [] });
  const second = look('a');
  const at = clock.now();
  reads[1]?.resolve([ada]);
  expect(await second).toEqual({ at, users: [ada] });
  clock.moveTo(30_000);
  const third = look('a');
  reads[2]?.reject(new StoreUnavailableError('MongoDB does not answer'));
  expect(await third).toEqual({ at, users: [ada] });
  const fourth = look('a');
  reads[3]?.resolve([]);
  expect(await fourth).toEqual({ at: clock.now(), users: [] });
});

test('nobody waits for a slow read: it goes on, one for all who look, and a later look has it', async () => {
  const { clock, reads, look } = openSlow();
  const looks = [look('a'), look('b')];
  while (clock.fireNext());
  for (const found of await Promise.all(looks)) expect(found.users).toEqual([]);
  const next = look('c');
  expect(reads).toHaveLength(1);
  reads[0]?.resolve([ada]);
  expect((await next).users).toEqual([ada]);
});

test('an error of our own is not hidden', async () => {
  const { reads, look } = openSlow();
  const found = look('a');
  reads[0]?.reject(new TypeError('a bug'));
  await expect(found).rejects.toThrow('a bug');
});

test('a query for five users reads few, unless it filters by verdict', async () => {
  const stores = createMemoryStores();
  const limits: number[] = [];
  const page: typeof stores.userQueues.page = (query) => {
    limits.push(query.limit);
    return stores.userQueues.page(query);
  };
  const deps = { ...stores, clock: new FakeClock(new Date()), userQueues: { ...stores.userQueues, page } };
  const found = async (verdicts?: VerdictCode[]) => {
    limits.length = 0;
    const { users } = await listUsers({ show: 'all', limit: 5, verdicts }, deps);
    return { count: users.length, limits: [...limits] };
  };
  for (let n = 0; n < 30; n += 1) await stores.userQueues.create(newUserId(), 3, new Date());
  expect(await found()).toEqual({ count: 5, limits: [20] });
  expect(await found(['blocked'])).toEqual({ count: 0, limits: [200] });
});
