/** What the ledger keeps of attempts that did not settle their request. */
import { expect, test } from '@jest/globals';
import type { LedgerChange } from '../../lib/ledger-change.ts';
import type { LoggedAttempt } from '../../lib/logged-attempt.ts';
import {
  at,
  block,
  claim,
  describeStores,
  done,
  failed,
  giveBack,
  giveUp,
  insertQueued,
  newUserId,
  type Ports,
  requeue,
  retry,
  theEntry,
} from './store-contract.ts';

const guard = (userId: string, attempt = 1, token = 7) => ({ userId, seq: 1, token, attempt });
const first = { attempt: 1, token: 7, startedAt: at(10) };
const interrupted = { ...first, endedAt: at(20), outcome: 'interrupted' };
const notYet = { name: 'Error', message: 'not yet' };
const retried = { ...first, endedAt: at(12), outcome: 'failed', error: notYet };
const unlucky = { name: 'Error', message: 'no luck' };

describeStores('the log of attempts', (ports) => {
  const { commit } = { commit: (...changes: LedgerChange[]) => ports.ledger.commit(changes) };
  const logOf = async (userId: string): Promise<LoggedAttempt[] | undefined> =>
    (await theEntry(ports, userId, 1)).attemptLog;
  const running = async (): Promise<string> => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1);
    await commit(claim(guard(userId)));
    return userId;
  };
  const end = (userId: string, token = 8): LedgerChange => {
    const counts = { interruptions: 1, forgiven: 1 };
    return { ...guard(userId, 1, token), at: at(20), kind: 'end', error: unlucky, ...counts };
  };

  test.each([done, failed])('is not even there for a request that its first attempt settles', async (settle) => {
    const userId = await running();
    await commit(settle(guard(userId)));
    expect(await theEntry(ports, userId, 1)).not.toHaveProperty('attemptLog');
  });

  test.each([
    ['a retry', retry, retried],
    ['a retry after a crash', (of) => ({ ...retry(of), interruptions: 1 }), { ...retried, outcome: 'crashed' }],
    ['a block', block, { ...first, endedAt: at(20), outcome: 'crashed', error: unlucky }],
    ['a give-back', giveBack, { ...first, endedAt: at(20), outcome: 'aborted' }],
  ] satisfies [string, (of: ReturnType<typeof guard>) => LedgerChange, object][])(
    '%s says how the attempt of its owner ended, once, also when it is sent twice',
    async (_, change, logged) => {
      const userId = await running();
      for (const __ of [1, 2]) expect(await commit(change(guard(userId)))).toEqual([{ applied: true }]);
      expect(await logOf(userId)).toEqual([logged]);
    },
  );

  test.each([
    ['queues it again', requeue],
    ['gives it up', (of) => giveUp(of, 'failed')],
    ['gives it up and blocks its user', (of) => giveUp(of, 'blocked')],
  ] satisfies [string, (of: ReturnType<typeof guard>) => LedgerChange][])(
    'the next owner of an interrupted request %s, and logs under which token and since when it ran',
    async (_, change) => {
      const userId = await running();
      for (const __ of [1, 2]) expect(await commit(change(guard(userId, 1, 9)))).toEqual([{ applied: true }]);
      expect(await theEntry(ports, userId, 1)).toMatchObject({ token: 9, attemptLog: [interrupted] });
    },
  );

  test('a claim logs what an earlier owner left under way, and nothing that was logged before', async () => {
    const cut = await running();
    await commit({ ...claim(guard(cut, 2, 8)), at: at(20) });
    expect(await logOf(cut)).toEqual([interrupted]);
    for (const [change, logged] of [
      [requeue, interrupted],
      [retry, retried],
    ] as const) {
      const userId = await running();
      await commit(change(guard(userId)));
      await commit(claim(guard(userId, 2, 8)));
      expect(await logOf(userId)).toEqual([logged]);
    }
  });

  test.each<[string, ((ports: Ports, userId: string) => Promise<unknown>) | undefined, object]>([
    ['under way', undefined, interrupted],
    ['queued again', (_, userId) => commit(requeue(guard(userId))), interrupted],
    ['in its back-off', (_, userId) => commit(retry(guard(userId))), retried],
    [
      'blocked',
      (_, userId) => commit(block(guard(userId))),
      { ...first, endedAt: at(20), outcome: 'crashed', error: unlucky },
    ],
  ])('the end of a run logs an attempt that is %s once', async (_, before, logged) => {
    const userId = await running();
    await ports.ledger.requestEnd({ userId, seq: 1 }, at(11));
    await before?.(ports, userId);
    expect(await commit(end(userId))).toEqual([{ applied: true }]);
    expect(await logOf(userId)).toEqual([logged]);
  });

  test('keeps the last ten, in their order', async () => {
    const userId = await running();
    for (let attempt = 1; attempt <= 12; attempt += 1) {
      await commit(retry(guard(userId, attempt)));
      await commit(claim(guard(userId, attempt + 1)));
    }
    await commit(done(guard(userId, 13)));
    const numbers = (await logOf(userId))?.map(({ attempt }) => attempt);
    expect(numbers).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  test('keeps an error as it is, whatever it says, and the newest one replaces the one before', async () => {
    const userId = await running();
    const errors = [
      { name: '$status', message: '$$ROOT', exposed: true, cause: { name: 'Error', message: '{"$literal":1}' } },
      { name: 'Error', message: 'short' },
    ];
    for (const [index, error] of errors.entries()) {
      await commit({ ...retry(guard(userId, index + 1)), error });
      await commit(claim(guard(userId, index + 2)));
    }
    const { error, attemptLog } = await theEntry(ports, userId, 1);
    expect(attemptLog?.map((one) => one.error)).toEqual(errors);
    expect(error).toEqual(errors[1]);
  });

  test("a person's decision keeps it", async () => {
    const [blocked, waiting, skipped, cancelled] = await Promise.all([running(), running(), running(), running()]);
    await commit(block(guard(blocked)), retry(guard(waiting)), retry(guard(skipped)), retry(guard(cancelled)));
    const id = (userId: string) => ({ userId, seq: 1 });
    const made = [
      await ports.ledger.unblock({ ...id(blocked), attempts: 1 }),
      await ports.ledger.endBackOff({ ...id(waiting), attempts: 1 }),
      await ports.ledger.skip(id(skipped), at(30)),
      await ports.ledger.cancel(id(cancelled), at(30)),
    ];
    expect(made).toEqual([true, true, true, true]);
    expect(await logOf(blocked)).toMatchObject([{ attempt: 1, outcome: 'crashed' }]);
    for (const userId of [waiting, skipped, cancelled]) expect(await logOf(userId)).toEqual([retried]);
  });

  test('changes of many users that travel together log for each what its own entry says', async () => {
    const users = Array.from({ length: 6 }, newUserId);
    for (const userId of users) await insertQueued(ports, userId, 1);
    await commit(...users.map((userId, place) => ({ ...claim(guard(userId, 1, 3 + place)), at: at(place) })));
    const [waits = '', ...cut] = users;
    await commit({ ...retry(guard(waits, 1, 3)) });
    await commit(...cut.map((userId, place) => ({ ...requeue(guard(userId, 1, 9)), at: at(30 + place) })));
    await commit(...users.map((userId) => claim(guard(userId, 2, 9))));
    expect(await logOf(waits)).toMatchObject([{ token: 3, startedAt: at(0), outcome: 'failed' }]);
    for (const [place, userId] of cut.entries()) {
      const own = { token: 4 + place, startedAt: at(1 + place), endedAt: at(30 + place) };
      expect(await logOf(userId)).toEqual([{ attempt: 1, ...own, outcome: 'interrupted' }]);
    }
  });

  test('is left out where many entries are read', async () => {
    const userId = await running();
    await commit(block(guard(userId)));
    const [listed] = await ports.ledger.page(userId, { after: 0, limit: 1 });
    const [letter] = await ports.ledger.deadLetters({ userId, limit: 1 });
    const [work] = await ports.ledger.readWork([{ userId, seq: 1, withBody: false }]);
    expect([listed, letter, work].map((entry) => entry?.seq)).toEqual([1, 1, 1]);
    for (const entry of [listed, letter, work]) expect(entry).not.toHaveProperty('attemptLog');
  });
});
