/** 500 clients of an API that is killed every five seconds, for two minutes: every client hears of every end once, in order. */
import { expect, jest, test } from '@jest/globals';
import getPort from 'get-port';
import { createApiKey } from '../../lib/accounts/api-keys.ts';
import { userIdOf } from '../../lib/references.ts';
import { acceptRequests } from '../../lib/requests/accept.ts';
import { closedLoop } from '../../tools/load.ts';
import { startApi } from '../http/api-process.ts';
import { eventually, openWorld, serversOf } from '../support/world.ts';
import { connectTo } from './support/sse-client.ts';

const minutes = Number(process.env.MINUTES ?? 2);
const clients = 500;
const killEveryMs = 5_000;
/** Requests of one user in a call, and how often each user calls. */
const perCall = 3;
const callEveryMs = 10_000;

jest.setTimeout((minutes + 5) * 60_000);

test(`${clients} clients hear of every end once and in order, while the API is killed every ${killEveryMs} ms`, async () => {
  await using world = await openWorld({ lanes: 16 });
  const runEndsAfterMs = 5;
  world.work(async ({ body }) => {
    await new Promise((resolve) => setTimeout(resolve, runEndsAfterMs));
    return { kind: 'done', result: body };
  });
  const secret = String((await createApiKey({ name: 'clients', scopes: ['read'] }, world.stores))?.secret);
  const port = await getPort({ host: '127.0.0.1' });
  const environment = { ...serversOf(world), AUTO_MIGRATE: '1', PORT: String(port), LOG_LEVEL: 'error' };
  let api = await startApi(['functions/api.ts'], environment);
  const stop = new AbortController();
  const users = Array.from({ length: clients }, (_, index) => `user-${index}`);
  const seen = new Map(users.map((user) => [user, [] as number[]]));
  const ids = new Map(users.map((user) => [user, [] as string[]]));
  let connections = 0;

  const follow = async (user: string): Promise<void> => {
    let last = '0';
    while (!stop.signal.aborted) {
      try {
        const url = `http://127.0.0.1:${port}/users/${user}/events?after=${last}`;
        const connection = await connectTo(url, { authorization: `Bearer ${secret}` });
        connections += 1;
        stop.signal.addEventListener('abort', connection.close);
        for await (const { id, type, data } of connection.events()) {
          if (id === undefined) continue;
          last = id;
          ids.get(user)?.push(id);
          if (type === 'settled') seen.get(user)?.push((data.request as { seq: number }).seq);
        }
      } catch {
        // The process was killed.
      }
      await new Promise((resolve) => setTimeout(resolve, 200 + 800 * Math.random()));
    }
  };

  const accepted = new Map<string, number>();
  const enqueue = async (user: string): Promise<void> => {
    const requests = Array.from({ length: perCall }, (_, index) => ({ body: String(index) }));
    const answers = await acceptRequests({ userId: userIdOf(user), reference: user, requests }, world.deps);
    accepted.set(user, answers.at(-1)?.seq ?? 0);
  };

  const following = users.map(follow);
  const until = performance.now() + minutes * 60_000;
  let kills = 0;
  const killing = (async () => {
    while (performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, killEveryMs));
      api.signal('SIGKILL');
      await api.exited;
      kills += 1;
      api = await startApi(['functions/api.ts'], environment);
    }
  })();
  while (performance.now() < until) {
    const startedAt = performance.now();
    await closedLoop({ count: clients, inFlight: 32 }, (index) => enqueue(users[index] as string));
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, callEveryMs - (performance.now() - startedAt))));
  }
  await killing;
  const isComplete = (user: string) => seen.get(user)?.length === accepted.get(user);
  await eventually('all clients have heard of all', () => users.every(isComplete), 60_000).catch(() => undefined);
  stop.abort();
  await Promise.all(following);
  await api.end();
  for (const user of users) {
    const all = Array.from({ length: accepted.get(user) ?? 0 }, (_, index) => index + 1);
    expect([user, seen.get(user)]).toEqual([user, all]);
    expect(new Set(ids.get(user)).size).toBe(ids.get(user)?.length);
  }
  const count = (lists: Iterable<unknown[]>) => [...lists].reduce((sum, own) => sum + own.length, 0);
  const told = `${count(seen.values())} ends among ${count(ids.values())} events`;
  process.stdout.write(`${kills} kills, ${connections} connections, ${told}, none twice\n`);
  expect(kills).toBeGreaterThan((minutes * 60_000) / killEveryMs / 4);
});
