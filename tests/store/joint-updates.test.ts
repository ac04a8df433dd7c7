/** Statements that change many documents at once: each document gets its own values, and keeps its own guards. */
import { describe, expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import type { LedgerChange } from '../../lib/ledger-change.ts';
import type { Models } from '../../lib/store/models.ts';
import { native } from '../../lib/store/native.ts';
import {
  at,
  claim,
  describeStores,
  done,
  insertQueued,
  newUser,
  newUserId,
  retry,
  theEntry,
  theUserQueue,
} from './store-contract.ts';

const applied = { applied: true };
const demand = { bytes: 10, maxPending: 1_000, maxPendingBytes: 1_000_000 };
const first = (userId: string, token = 7) => ({ userId, seq: 1, token, attempt: 1 });

describeStores('changes that travel together', (ports) => {
  test('each entry gets its own time and its own result, whatever it says and however long it is', async () => {
    const results = ['"$token"', '{"$literal":"$$ROOT"}', JSON.stringify('x'.repeat(5_000)), 'null', 'null', '"last"'];
    const users = results.map(() => newUserId());
    for (const userId of users) await insertQueued(ports, userId, 1);
    const claims = users.map((userId, place) => ({ ...claim(first(userId)), at: at(10 + place) }));
    expect(await ports.ledger.commit(claims)).toEqual(users.map(() => applied));
    const settlements = users.map(
      (userId, place): LedgerChange => ({
        ...first(userId),
        at: at(20 + place),
        kind: 'settle',
        status: 'done',
        result: results[place] ?? '',
      }),
    );
    expect(await ports.ledger.commit(settlements)).toEqual(users.map(() => applied));
    for (const [place, userId] of users.entries()) {
      const settled = { status: 'done', token: 7, attempts: 1, result: results[place] };
      expect(await theEntry(ports, userId, 1)).toMatchObject({
        ...settled,
        startedAt: at(10 + place),
        settledAt: at(20 + place),
      });
    }
  });

  test('what a guard refuses is told apart from its neighbors, also with different tokens [R7]', async () => {
    const users = Array.from({ length: 6 }, newUserId);
    for (const userId of users) await insertQueued(ports, userId, 1);
    const [taken = '', cancelled = ''] = users;
    await ports.ledger.commit([claim(first(taken, 8))]);
    await ports.ledger.cancel({ userId: cancelled, seq: 1 }, at(2));
    const answers = await ports.ledger.commit(users.map((userId, place) => claim(first(userId, place < 4 ? 7 : 9))));
    expect(answers.map((answer) => answer.applied)).toEqual([false, false, true, true, true, true]);
    expect(answers.slice(0, 2)).toMatchObject([{ entry: { token: 8 } }, { entry: { status: 'cancelled' } }]);
    const settled = await ports.ledger.commit(users.map((userId) => done(first(userId, 7))));
    expect(settled.map((answer) => answer.applied)).toEqual([false, false, true, true, false, false]);
  });

  test('later attempts end the back-off, and remove the error when they succeed', async () => {
    const users = Array.from({ length: 3 }, newUserId);
    for (const userId of users) await insertQueued(ports, userId, 1);
    await ports.ledger.commit(users.map((userId) => claim(first(userId))));
    await ports.ledger.commit(users.map((userId) => retry(first(userId))));
    const second = users.map((userId) => ({ ...first(userId, 8), attempt: 2 }));
    expect(await ports.ledger.commit(second.map((guard) => claim(guard)))).toEqual(users.map(() => applied));
    expect(await theEntry(ports, users[1] ?? '', 1)).toMatchObject({ status: 'processing', token: 8, attempts: 2 });
    expect(await theEntry(ports, users[1] ?? '', 1)).not.toHaveProperty('retryAt');
    expect(await ports.ledger.commit(second.map((guard) => done(guard)))).toEqual(users.map(() => applied));
    for (const userId of users) expect(await theEntry(ports, userId, 1)).not.toHaveProperty('error');
  });

  test('a message that says something else is refused among messages that do not', async () => {
    const users = Array.from({ length: 4 }, newUserId);
    for (const userId of users) await insertQueued(ports, userId, 1);
    const said = { body: '"1"', acceptedAt: at(1) };
    // The last one says what another entry says.
    const messages = [said, { ...said, body: '"2"' }, said, { ...said, acceptedAt: at(2) }];
    const claims = users.map((userId, place) => ({ ...claim(first(userId)), said: messages[place] ?? said }));
    expect((await ports.ledger.commit(claims)).map((answer) => answer.applied)).toEqual([true, false, true, false]);
  });

  test('owners who claim the same entries at the same time get each of them once', async () => {
    const users = Array.from({ length: 40 }, newUserId);
    await Promise.all(users.map((userId) => insertQueued(ports, userId, 1)));
    const owners = [1, 2, 3, 4].map((token) => {
      const own = token % 2 ? users : users.toReversed();
      return ports.ledger.commit(own.map((userId) => claim(first(userId, token))));
    });
    const answers = (await Promise.all(owners)).flat();
    expect(answers.filter((answer) => answer.applied)).toHaveLength(users.length);
  });

  test('calls of many users get tickets for their own requests and bytes, and one without a live session none', async () => {
    const users = await Promise.all(Array.from({ length: 8 }, () => newUser(ports)));
    const ended = users[7] ?? '';
    await ports.userQueues.removeSession(ended, 's');
    const tickets = await Promise.all(
      users.map((userId, place) =>
        ports.userQueues.takeTicket(userId, 's', at(1), { ...demand, count: 1 + (place % 3), bytes: 100 + place }),
      ),
    );
    for (const [place, userId] of users.slice(0, 7).entries()) {
      const own = { first: 1, seq: 1 + (place % 3), bytesThrough: 100 + place };
      expect(tickets[place]).toMatchObject(own);
      expect(await theUserQueue(ports, userId)).toMatchObject({ accepted: own.seq, acceptedBytes: own.bytesThrough });
    }
    expect(tickets[7]).toBeUndefined();
    expect(await theUserQueue(ports, ended)).toMatchObject({ accepted: 0 });
  });

  test('progress of many users is each user’s own, and never goes back', async () => {
    const users = await Promise.all(Array.from({ length: 5 }, () => newUser(ports)));
    const of = (place: number, settled: number) => ({
      userId: users[place] ?? '',
      settled,
      settledBytes: settled * 10,
      advanced: true,
    });
    await ports.userQueues.flushSettled(
      [0, 1, 2, 3].map((place) => of(place, 5 + place)),
      at(30),
    );
    await ports.userQueues.flushSettled([of(0, 9), of(1, 3), { ...of(2, 8), advanced: false }], at(40));
    const found = await Promise.all(users.map((userId) => theUserQueue(ports, userId)));
    expect(found.map(({ settled, settledBytes = 0 }) => [settled, settledBytes])).toEqual([
      [9, 90],
      [6, 60],
      [8, 80],
      [8, 80],
      [0, 0],
    ]);
    expect(found.slice(0, 3).map(({ updatedAt, vouchedAt }) => [updatedAt, vouchedAt])).toEqual([
      [at(40), at(40)],
      [at(40), at(40)],
      [at(30), at(40)],
    ]);
  });
});

describe('a statement that changes many documents', () => {
  const { MongoServerError, MongoNetworkError, MongoNetworkTimeoutError } = mongoose.mongo;
  const notPrimary = new MongoServerError({ code: 10_107, errmsg: 'not primary' });
  const inElections = [notPrimary, new MongoNetworkError('closed')];
  const atOtherTimes = [new MongoNetworkTimeoutError('late'), new MongoServerError({ code: 9, errmsg: 'bad' })];

  /** How often it was sent to a server that fails the first one with this error. */
  const sends = async (error: Error): Promise<number> => {
    let count = 0;
    const bulkWrite = async () => {
      count += 1;
      if (count === 1) throw error;
    };
    const model = { collection: { bulkWrite }, db: { get: () => 1_000 } } as unknown as Models['userQueues'];
    await native(model)
      .updateTwice([])
      .catch(() => undefined);
    return count;
  };

  test('is sent once more when the primary changes, which the driver does not do, and not for any other reason', async () => {
    expect(await Promise.all(inElections.map(sends))).toEqual([2, 2]);
    expect(await Promise.all(atOtherTimes.map(sends))).toEqual([1, 1]);
  });
});
