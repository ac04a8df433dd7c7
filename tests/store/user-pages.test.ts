import { expect, test } from '@jest/globals';
import type { UserPageQuery } from '../../lib/ports.ts';
import type { UserQueue } from '../../lib/types.ts';
import { uniqueName } from '../support/servers.ts';
import { at, describeStores, newLane, newUserId, session } from './store-contract.ts';

describeStores('a page of users', (ports) => {
  /** Users with these names, in a lane of their own. Those in `waiting` have a request pending. */
  const users = async (names: string[], waiting: string[] = names) => {
    const lane = newLane();
    const ids = new Map<string, string>();
    for (const [index, name] of names.entries()) {
      const userId = newUserId();
      ids.set(name, userId);
      await ports.userQueues.create(userId, lane, at(index), name);
      await ports.userQueues.addSession(userId, session('s'), lane, 10);
      if (waiting.includes(name)) await ports.userQueues.takeTicket(userId, 's', at(index));
    }
    return { lane, ids };
  };

  const pages = async (query: Omit<UserPageQuery, 'after'>): Promise<UserQueue[][]> => {
    const found: UserQueue[][] = [];
    for (;;) {
      const page = await ports.userQueues.page({ ...query, after: found.at(-1)?.at(-1) });
      if (page.length === 0) return found;
      found.push(page);
      if (page.length < query.limit) return found;
    }
  };
  const namesOf = (found: UserQueue[][]) => found.flat().map(({ user }) => user);

  test('finds users by the beginning of their name, in its order, each once', async () => {
    const name = uniqueName('name');
    await users([`${name} b`, `${name} c`, `${name} a`, `${name} c`, `other ${name}`]);
    const found = await pages({ show: 'all', name, limit: 2 });
    expect(namesOf(found)).toEqual([`${name} a`, `${name} b`, `${name} c`, `${name} c`]);
    expect(new Set(found.flat().map(({ userId }) => userId)).size).toBe(4);
  });

  test('takes a name as it is: nothing in it is a pattern', async () => {
    const name = uniqueName('name');
    await users([`${name}.*`, `${name}x`]);
    expect(namesOf(await pages({ show: 'all', name: `${name}.*`, limit: 10 }))).toEqual([`${name}.*`]);
  });

  test('finds the users of a lane, and of these the open ones', async () => {
    const { lane, ids } = await users(['a', 'b', 'c', 'd', 'e'], ['a', 'e']);
    const all = (await pages({ show: 'all', lane, limit: 2 })).flat().map(({ userId }) => userId);
    expect(all).toEqual([...ids.values()].sort());
    const open = (await pages({ show: 'waiting', lane, limit: 2 })).flat().map(({ userId }) => userId);
    expect(open).toEqual([ids.get('a'), ids.get('e')].sort());
  });

  test('finds those who may wait, without progress for longest first, each once', async () => {
    const { ids } = await users(['a', 'b', 'c', 'd']);
    const late = ids.get('a') as string;
    await ports.userQueues.flushSettled([{ userId: late, settled: 0, advanced: true }], at(1_000));
    const found = (await pages({ show: 'waiting', limit: 3 })).flat().map(({ userId }) => userId);
    const own = found.filter((userId) => [...ids.values()].includes(userId));
    expect(own).toEqual([ids.get('b'), ids.get('c'), ids.get('d'), late]);
  });
});
