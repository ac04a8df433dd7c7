import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import { openStores } from '../../lib/store/stores.ts';
import { testConfig } from '../support/servers.ts';
import { at, describeStores, newUser, newUserId, session, theEntry, theUserQueue } from './store-contract.ts';

const demand = { bytes: 10, maxPending: 1_000, maxPendingBytes: 1_000_000 };

describeStores('calls at the same time', (ports) => {
  test('of many users and sessions get tickets that nobody else has', async () => {
    const users = await Promise.all([1, 2, 3, 4].map(() => newUser(ports)));
    for (const userId of users) await ports.userQueues.addSession(userId, session('t'), 1, 10);
    const calls = users.flatMap((userId) =>
      Array.from({ length: 20 }, async (_, index) => {
        const ticket = await ports.userQueues.takeTicket(userId, index % 3 ? 's' : 't', at(1), demand);
        return { userId, ticket };
      }),
    );
    const tickets = await Promise.all(calls);
    for (const userId of users) {
      const own = tickets.flatMap((one) => (one.userId === userId && one.ticket?.seq ? one.ticket : []));
      const { accepted, acceptedBytes } = await theUserQueue(ports, userId);
      expect(new Set(own.map(({ seq }) => seq)).size).toBe(20);
      for (const { seq, bytesThrough } of own) expect(bytesThrough).toBe(10 * seq);
      // The stand-in in memory keeps one outcome, so that one of two sessions may have lost a ticket.
      expect(accepted).toBeGreaterThanOrEqual(20);
      expect(acceptedBytes).toBe(10 * accepted);
    }
  });

  test('each get their own answer: a ticket, a limit, no session, or a user queue', async () => {
    const [free, full, unknown] = [await newUser(ports), await newUser(ports), newUserId()];
    const referred = { userId: newUserId(), user: 'ada', lane: 5 };
    await ports.userQueues.takeTicket(full, 's', at(1), demand);
    const answers = await Promise.all([
      ports.userQueues.takeTicket(free, 's', at(1), demand),
      ports.userQueues.takeTicket(full, 's', at(1), { ...demand, maxPending: 1 }),
      ports.userQueues.takeTicket(unknown, 's', at(1), demand),
      ports.userQueues.takeTicketByReference(referred, at(1), demand),
      ports.userQueues.takeTicket(free, 'ended', at(1), demand),
      ports.userQueues.takeTicket(free, undefined, at(1), demand),
      ports.userQueues.takeTicket(free, 's', at(1), demand),
    ]);
    expect(answers[1]).toMatchObject({ refused: 'requests', pending: 1, countDue: true });
    expect([answers[2], answers[4]]).toEqual([undefined, undefined]);
    expect(answers[3]).toMatchObject({ seq: 1, lane: 5, wasOpen: false });
    expect([0, 5, 6].map((place) => answers[place]?.seq).sort()).toEqual([1, 2, 3]);
    expect(await theUserQueue(ports, full)).toMatchObject({ accepted: 1 });
    expect(await theUserQueue(ports, free)).toMatchObject({ accepted: 3 });
  });

  test('create the user queues that are missing, each once', async () => {
    const users = Array.from({ length: 12 }, () => ({ userId: newUserId(), user: 'ada', lane: 5 }));
    const calls = [...users, ...users].map((user) => ports.userQueues.takeTicketByReference(user, at(1), demand));
    const seqs = (await Promise.all(calls)).map((ticket) => ticket.seq);
    expect(seqs.toSorted()).toEqual([...users.map(() => 1), ...users.map(() => 2)]);
  });

  test('do not share a rate that one of them has used up', async () => {
    const userId = await newUser(ports);
    const calls = Array.from({ length: 8 }, () =>
      ports.userQueues.takeTicket(userId, 's', at(1), { ...demand, ratePerSecond: 3 }),
    );
    expect((await Promise.all(calls)).flatMap((ticket) => ticket?.seq ?? []).sort()).toEqual([1, 2, 3]);
  });

  test('record their requests, and each is told when its ticket or its key is another request’s', async () => {
    const userId = newUserId();
    const insert = (seq: number, key?: string) =>
      ports.ledger.insert({ userId, seq, key, body: `${seq}`, bytes: 1, acceptedAt: at(1) });
    await insert(1, 'a');
    const answers = await Promise.all([
      insert(2),
      insert(1),
      insert(3, 'a'),
      insert(4, 'b'),
      insert(5, 'b'),
      insert(6),
    ]);
    expect(answers).toEqual(['inserted', 'duplicate-seq', 'duplicate-key', 'inserted', 'duplicate-key', 'inserted']);
    expect(await theEntry(ports, userId, 6)).toMatchObject({ body: '6', status: 'queued' });
  });

  test('find the requests of their keys, and no other', async () => {
    const [one, other] = [newUserId(), newUserId()];
    for (const [userId, key] of [
      [one, 'a'],
      [other, 'b'],
    ] as const)
      await ports.ledger.insert({ userId, seq: 1, key, body: '1', acceptedAt: at(1) });
    const found = await Promise.all(
      (
        [
          [one, 'a'],
          [one, 'b'],
          [other, 'a'],
          [other, 'b'],
          [one, 'a'],
        ] as const
      ).map(([userId, key]) => ports.ledger.findByKey(userId, key)),
    );
    expect(found.map((entry) => entry && [entry.userId, entry.key])).toEqual([
      [one, 'a'],
      undefined,
      undefined,
      [other, 'b'],
      [one, 'a'],
    ]);
  });
});

describe('calls at the same time, in MongoDB', () => {
  const config = testConfig();
  const [here, there] = [openStores(config), openStores(config)];
  const connection = mongoose.createConnection(config.mongodbUrl);
  beforeAll(() => connection.asPromise());
  afterAll(async () => {
    await here.drop();
    await Promise.all([here.close(), there.close(), connection.close()]);
  });

  test('of two processes for the same users never get the same ticket', async () => {
    const users = await Promise.all([1, 2, 3].map(() => newUser(here)));
    const seen = new Map(users.map((userId) => [userId, new Set<number>()]));
    const client = async ({ userQueues }: typeof here, userId: string) => {
      for (let n = 0; n < 10; n += 1) {
        const seq = (await userQueues.takeTicket(userId, 's', at(1), demand))?.seq ?? 0;
        expect(seen.get(userId)?.has(seq)).toBe(false);
        seen.get(userId)?.add(seq);
      }
    };
    await Promise.all([here, there, here, there].flatMap((stores) => users.map((userId) => client(stores, userId))));
    for (const userId of users) {
      expect(seen.get(userId)?.size).toBe(40);
      expect((await theUserQueue(here, userId)).accepted).toBe(40);
    }
  });

  test('of two processes do not push out what twenty others have not read yet', async () => {
    const [userId, another] = [await newUser(here), await newUser(here)];
    const outcomes = Array.from({ length: 20 }, (_, n) => ({
      by: `process-${n}`,
      at: Date.now(),
      seq: n + 1,
      bytes: 10,
      wasOpen: true,
    }));
    const users = connection.collection<{ _id: string; tickets?: { by: string }[] }>('userQueues');
    await users.updateOne({ _id: userId }, { $set: { tickets: outcomes } });
    for (const { userQueues } of [here, there])
      await Promise.all([userId, another].map((id) => userQueues.takeTicket(id, 's', at(1), demand)));
    const kept = (await users.findOne({ _id: userId }))?.tickets?.map(({ by }) => by);
    expect(kept).toHaveLength(22);
    expect(kept).toEqual(expect.arrayContaining(outcomes.map(({ by }) => by)));
  });

  test('get their tickets although MongoDB refuses the update of one of them', async () => {
    const [one, odd, other] = [await newUser(here), await newUser(here), await newUser(here)];
    await connection.collection<{ _id: string }>('userQueues').updateOne({ _id: odd }, { $set: { accepted: 'many' } });
    const answers = await Promise.allSettled(
      [one, odd, other].map((userId) => here.userQueues.takeTicket(userId, 's', at(1), demand)),
    );
    expect(answers).toMatchObject([{ value: { seq: 1 } }, { status: 'rejected' }, { value: { seq: 1 } }]);
    expect(answers[1]).not.toMatchObject({ reason: { code: 'store-unavailable' } });
  });

  test('leave no outcome that has been read but the last, and none in a closed user queue', async () => {
    const [userId, another] = [await newUser(here), await newUser(here)];
    const tickets = async () => {
      const found = await connection
        .collection<{ _id: string; tickets?: unknown[] }>('userQueues')
        .findOne({ _id: userId });
      return found?.tickets?.length ?? 0;
    };
    for (let n = 0; n < 5; n += 1) {
      await Promise.all([userId, another].map((id) => here.userQueues.takeTicket(id, 's', at(1), demand)));
    }
    expect(await tickets()).toBe(1);
    expect(await here.userQueues.beginClose(userId, 5, false, at(2))).toBe(true);
    expect(await here.userQueues.endClose(userId, 5, at(2))).toBe(true);
    expect(await tickets()).toBe(0);
  });
});
