/** A broker that allows 100 user queues, and 1,000 users. The broker itself refuses any queue above that. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { findRabbitmq, rabbitmqctl } from '../../tools/services/rabbitmq.ts';
import { readableLog } from '../support/log-lines.ts';
import { type PrivateServer, privateRabbitmq } from '../support/private-servers.ts';
import { eventually, openWorld, type TestUser } from '../support/world.ts';
import { quickRuns } from './runs.ts';

jest.setTimeout(900_000);

const lanes = 8;
const cap = 100;
/** A multiple of the calls at a time. */
const userCount = 1_024;
const callsAtATime = 32;
const longMs = 300_000;

let server: PrivateServer;

beforeAll(async () => {
  server = await privateRabbitmq();
  await rabbitmqctl(server.folder, ['set_vhost_limits', '-p', '/', JSON.stringify({ 'max-queues': lanes + cap })]);
});
afterAll(async () => server?.[Symbol.asyncDispose]());

const forEach = async (users: TestUser[], call: (user: TestUser) => Promise<unknown>): Promise<void> => {
  const left = [...users];
  const caller = async () => {
    for (let user = left.pop(); user; user = left.pop()) await call(user);
  };
  await Promise.all(Array.from({ length: callsAtATime }, caller));
};

const userQueues = async (): Promise<string[]> => {
  const listed = await rabbitmqctl(server.folder, ['--quiet', 'list_queues', '--no-table-headers', 'name']);
  return listed.split('\n').filter((name) => name.includes('user.'));
};

(findRabbitmq() ? test : test.skip)(
  '1,000 users are served with 100 queues, and RabbitMQ never has to refuse one',
  async () => {
    // No sweep helps, and no queue closes but for another user, until the end.
    const times = {
      storeTimeoutMs: 30_000,
      publishTimeoutMs: 10_000,
      sweepMs: 600_000,
      stuckAfterMs: 600_000,
      idleTimeoutMs: 60_000,
    };
    await using world = await openWorld({ rabbitmqUrl: server.url, lanes, maxOpenQueues: cap, ...times });
    const { runRequest, seqs, runs } = quickRuns();
    const { log, lines } = readableLog();
    const refusals = () => lines.filter(({ msg }) => msg?.startsWith('RabbitMQ refused a user queue'));
    const dying = await world.cuttable();
    const first = world.work(runRequest, { log });
    const second = world.work(runRequest, { log, config: dying.config });
    const users: TestUser[] = [];
    while (users.length < userCount)
      users.push(...(await Promise.all(Array.from({ length: callsAtATime }, () => world.user()))));
    const send = (to: TestUser[]) => forEach(to, (user) => world.enqueue(user, 'work'));
    const ran = (count: number) => eventually(`${count} runs`, () => runs.length >= count, longMs);

    await send(users);
    await send(users);
    await ran(2 * userCount);
    const beyond = first.snapshot().queuesBeyondCap + second.snapshot().queuesBeyondCap;
    expect(beyond).toBeGreaterThan(userCount / 2);
    expect((await userQueues()).length).toBeLessThanOrEqual(cap);
    expect(refusals()).toEqual([]);

    // Everybody else is idle.
    const found = await world.stores.userQueues.get(users.map(({ userId }) => userId));
    const marked = new Set(found.flatMap(({ userId, queueRefused }) => (queueRefused ? [userId] : [])));
    const busy = users.filter(({ userId }) => marked.has(userId)).slice(0, 16);
    await eventually(
      'the busy users have queues',
      async () => {
        await send(busy);
        const names = await userQueues();
        return busy.every(({ userId }) => names.some((name) => name.endsWith(userId)));
      },
      longMs,
    );
    expect(refusals()).toEqual([]);

    await dying.cutForGood();
    const before = runs.length;
    await send(users);
    await ran(before + userCount);
    expect((await userQueues()).length).toBeLessThanOrEqual(cap);
    for (const user of users) expect(seqs(user)).toEqual(seqs(user).map((_, index) => index + 1));

    await eventually('every queue is closed', async () => (await userQueues()).length === 0, longMs);
    const left = await world.stores.userQueues.get(users.map(({ userId }) => userId));
    expect(left.filter(({ state, accepted, settled }) => state !== 'closed' || accepted !== settled)).toEqual([]);
    expect(first.snapshot()).toMatchObject({ usersLoaded: 0, queuesBeyondCap: 0, refusedQueues: 0 });
  },
);
