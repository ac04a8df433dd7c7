import { describe, expect, test } from '@jest/globals';
import { StoreUnavailableError } from '../../lib/errors.ts';
import type { TicketAsk, TicketOutcome } from '../../lib/store/ticket-groups.ts';
import { createTicketTaker, type OutcomeMark, type TicketServer } from '../../lib/store/ticket-taker.ts';
import { at } from './store-contract.ts';

const demand = { bytes: 5, maxPending: 100, maxPendingBytes: 1_000 };
const ask = (userId: string, more: Partial<TicketAsk> = {}): TicketAsk => ({ userId, now: at(1), demand, ...more });

type Bulk = { asks: TicketAsk[]; mark: OutcomeMark; answer(): void; fail(error: Error): void };

/**
 * A server that answers when the test says so. What its bulks write down is `outcomes`, `undefined` for a user without an outcome. Whoever asks
 * alone is in `alone`.
 */
const openServer = (outcomes: Record<string, TicketOutcome | undefined> = {}) => {
  const bulks: Bulk[] = [];
  const alone: TicketAsk[] = [];
  const clock = { now: 5_000 };
  const server: TicketServer = {
    takeOne: async (one) => {
      alone.push(one);
      return { first: 1, seq: 1, lane: 0, wasOpen: true, settled: 0, bytesThrough: 5 };
    },
    takeAll: (asks, mark) => new Promise((answer, fail) => void bulks.push({ asks, mark, answer, fail })),
    readOutcomes: async (userIds) =>
      userIds
        .filter((userId) => userId in outcomes)
        .map((userId) => ({ userId, lane: 7, settled: 2, outcome: outcomes[userId] })),
    takesBulks: async () => true,
    now: () => clock.now,
  };
  return { server, bulks, alone, clock, take: createTicketTaker(server) };
};

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('tickets of one process', () => {
  test('one at a time go alone', async () => {
    const { take, bulks, alone } = openServer();
    await take(ask('a'));
    await take(ask('a'));
    expect([alone.length, bulks.length]).toEqual([2, 0]);
  });

  test('of calls that come together are one update for each user, and each call gets its part in its order', async () => {
    const { take, bulks, alone } = openServer({
      a: { seq: 9, bytes: 130, wasOpen: true },
      b: { seq: 1, bytes: 5, wasOpen: false },
    });
    const several = ask('a', { demand: { ...demand, count: 3, bytes: 20 } });
    const tickets = [take(ask('a')), take(ask('b')), take(several)];
    await turn();
    expect(bulks[0]?.asks).toMatchObject([
      { userId: 'a', isSum: true, demand: { count: 4, bytes: 25 } },
      { userId: 'b', demand },
    ]);
    bulks[0]?.answer();
    const common = { lane: 7, settled: 2 };
    expect(await Promise.all(tickets)).toEqual([
      { ...common, first: 6, seq: 6, wasOpen: true, bytesThrough: 110 },
      { ...common, first: 1, seq: 1, wasOpen: false, bytesThrough: 5 },
      { ...common, first: 7, seq: 9, wasOpen: true, bytesThrough: 130 },
    ]);
    expect(alone).toEqual([]);
  });

  test('are asked for alone where the outcome is not there, and by a second session of a user', async () => {
    const { take, bulks, alone } = openServer({ a: { seq: 4, bytes: 20, wasOpen: true }, b: undefined });
    const tickets = [take(ask('a', { sessionId: 's' })), take(ask('b')), take(ask('a', { sessionId: 't' }))];
    await turn();
    bulks[0]?.answer();
    expect((await Promise.all(tickets)).map((ticket) => ticket?.seq)).toEqual([4, 1, 1]);
    expect(alone).toMatchObject([{ userId: 'b' }, { userId: 'a', sessionId: 't' }]);
  });

  test('of users who have no document are answered by the bulk', async () => {
    const { take, bulks, alone } = openServer({ b: { seq: 1, bytes: 5, wasOpen: false } });
    const tickets = [take(ask('new')), take(ask('b')), take(ask('new'))];
    await turn();
    bulks[0]?.answer();
    expect((await Promise.all(tickets)).map((ticket) => ticket?.seq)).toEqual([undefined, 1, undefined]);
    expect(alone).toEqual([]);
  });

  test('fail with their bulk when MongoDB is away, and later ones do not', async () => {
    const { take, bulks } = openServer({
      c: { seq: 3, bytes: 15, wasOpen: true },
      d: { seq: 3, bytes: 15, wasOpen: true },
    });
    const lost = Promise.allSettled([take(ask('a')), take(ask('b'))]);
    await turn();
    bulks[0]?.fail(new StoreUnavailableError('MongoDB did not answer within 5000 ms.'));
    for (const one of await lost) expect(one).toMatchObject({ status: 'rejected', reason: { status: 503 } });
    const others = [take(ask('c')), take(ask('d'))];
    await turn();
    bulks[1]?.answer();
    expect((await Promise.all(others)).map((ticket) => ticket?.seq)).toEqual([3, 3]);
  });

  test('that come while a statement is on its way are one bulk, and wait for nothing else', async () => {
    const taken = { seq: 3, bytes: 15, wasOpen: true };
    const { take, bulks } = openServer(Object.fromEntries(['a', 'b', 'c', 'd'].map((userId) => [userId, taken])));
    const calls = [take(ask('a')), take(ask('b'))];
    await turn();
    calls.push(take(ask('c')));
    await turn();
    calls.push(take(ask('d')));
    await turn();
    expect(bulks).toHaveLength(1);
    bulks[0]?.answer();
    await turn();
    expect(bulks[1]?.asks.map(({ userId }) => userId)).toEqual(['c', 'd']);
    bulks[1]?.answer();
    expect((await Promise.all(calls)).map((ticket) => ticket?.seq)).toEqual([3, 3, 3, 3]);
  });

  test('that wait while MongoDB hangs fail with the statement before them, and are never sent', async () => {
    const away = new StoreUnavailableError('MongoDB did not answer within 5000 ms.');
    const { server, bulks, alone } = openServer();
    const lone = Promise.withResolvers<never>();
    const takeOne = (one: TicketAsk) => {
      alone.push(one);
      return lone.promise;
    };
    const take = createTicketTaker({ ...server, takeOne });
    const calls = [take(ask('a'))];
    await turn();
    for (const userId of ['b', 'c', 'd']) calls.push(take(ask(userId)));
    await turn();
    const ends = Promise.allSettled(calls);
    lone.reject(away);
    for (const one of await ends) expect(one).toEqual({ status: 'rejected', reason: away });
    expect(alone).toMatchObject([{ userId: 'a' }]);
    // What comes after the failure tries again.
    const later = Promise.allSettled([take(ask('g')), take(ask('h'))]);
    await turn();
    expect(bulks.map(({ asks }) => asks.map(({ userId }) => userId))).toEqual([['g', 'h']]);
    bulks[0]?.fail(away);
    for (const one of await later) expect(one).toEqual({ status: 'rejected', reason: away });
  });

  test('are asked for alone when MongoDB refuses the bulk', async () => {
    const { take, bulks, alone } = openServer();
    const tickets = [take(ask('a')), take(ask('b'))];
    await turn();
    bulks[0]?.fail(new Error('BSON document is too large'));
    expect((await Promise.all(tickets)).map((ticket) => ticket?.seq)).toEqual([1, 1]);
    expect(alone).toHaveLength(2);
  });

  test('name their outcomes by the time when they are sent, and others’ outcomes end by that time too', async () => {
    const { take, bulks, clock } = openServer();
    const send = async (number: number) => {
      const tickets = [take(ask('a')), take(ask('b'))];
      await turn();
      bulks[number]?.answer();
      await Promise.all(tickets);
    };
    clock.now = 100_000;
    await send(0);
    // MongoDB's clock was set back: the name is still a new one, but the outcomes of other processes have lower ones now.
    clock.now = 40_000;
    await send(1);
    expect(bulks.map(({ mark }) => mark)).toMatchObject([
      { at: 100_000, unreadFrom: 100_000, othersFrom: 90_000 },
      { at: 100_001, unreadFrom: 100_001, othersFrom: 30_000 },
    ]);
  });

  test('travel alone where a server takes no pipelines in a bulk', async () => {
    const { server, bulks, alone } = openServer();
    const take = createTicketTaker({ ...server, takesBulks: async () => false });
    await Promise.all([take(ask('a')), take(ask('b')), take(ask('a'))]);
    expect([alone.length, bulks.length]).toEqual([3, 0]);
  });
});
