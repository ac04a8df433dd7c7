import { expect, test } from '@jest/globals';
import type { LedgerChange } from '../../lib/ledger-change.ts';
import {
  at,
  claim,
  describeStores,
  done,
  failed,
  giveBack,
  giveUp,
  insertQueued,
  newUserId,
  requeue,
  retry,
  theEntry,
} from './store-contract.ts';

const applied = { applied: true };

describeStores('group commits', (ports) => {
  test('a claim records token, attempt and start time; a settlement adds the result and its time', async () => {
    const userId = newUserId();
    const guard = { userId, seq: 1, token: 7, attempt: 1 };
    await insertQueued(ports, userId, 1);
    expect(await ports.ledger.commit([claim(guard)])).toEqual([applied]);
    const recorded = {
      userId,
      seq: 1,
      body: '"1"',
      acceptedAt: at(1),
      token: 7,
      attempts: 1,
      startedAt: at(10),
    };
    expect(await theEntry(ports, userId, 1)).toEqual({ ...recorded, status: 'processing' });
    expect(await ports.ledger.commit([done(guard)])).toEqual([applied]);
    const settled = { status: 'done', result: '"ok"', settledAt: at(20) };
    expect(await theEntry(ports, userId, 1)).toEqual({ ...recorded, ...settled });
  });

  test('a failure is recorded with its error', async () => {
    const userId = newUserId();
    const guard = { userId, seq: 1, token: 7, attempt: 1 };
    await insertQueued(ports, userId, 1);
    await ports.ledger.commit([claim(guard)]);
    expect(await ports.ledger.commit([failed(guard)])).toEqual([applied]);
    const error = { name: 'Error', message: 'no luck' };
    expect(await theEntry(ports, userId, 1)).toMatchObject({ status: 'failed', error, settledAt: at(20) });
  });

  test('a retry keeps the request in its place until the next claim; a success removes the error', async () => {
    const userId = newUserId();
    const guard = { userId, seq: 1, token: 7, attempt: 1 };
    await insertQueued(ports, userId, 1);
    await ports.ledger.commit([claim(guard)]);
    expect(await ports.ledger.commit([retry(guard)])).toEqual([applied]);
    const error = { name: 'Error', message: 'not yet' };
    expect(await theEntry(ports, userId, 1)).toMatchObject({
      status: 'processing',
      attempts: 1,
      error,
      retryAt: at(15),
    });
    const second = { ...guard, attempt: 2 };
    expect(await ports.ledger.commit([claim(second)])).toEqual([applied]);
    const claimed = await theEntry(ports, userId, 1);
    expect(claimed).toMatchObject({ status: 'processing', attempts: 2, error });
    expect(claimed).not.toHaveProperty('retryAt');
    expect(claimed).not.toHaveProperty('backOffMs');
    await ports.ledger.commit([done(second)]);
    expect(await theEntry(ports, userId, 1)).not.toHaveProperty('error');
  });

  test('a claim with a lower token is refused, with the entry as it is [R7]', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1);
    await ports.ledger.commit([claim({ userId, seq: 1, token: 7, attempt: 1 })]);
    const [refused] = await ports.ledger.commit([claim({ userId, seq: 1, token: 6, attempt: 2 })]);
    const [entry] = await ports.ledger.readWork([{ userId, seq: 1, withBody: false }]);
    expect(refused).toEqual({ applied: false, entry });
    expect(await theEntry(ports, userId, 1)).toMatchObject({ token: 7, attempts: 1 });
  });

  test('a claim of a request that came in a message matches only an entry that says the same', async () => {
    const userId = newUserId();
    const limits = { maxAttempts: 2, onInterruption: 'dead-letter' } as const;
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const said = { body: '"1"', limits, interruptions: 2, traceparent, acceptedAt: at(1) };
    await ports.ledger.insert({ userId, seq: 1, ...said });
    const guard = { userId, seq: 1, token: 7, attempt: 1 };
    const others = [
      { ...said, body: '"2"' },
      { ...said, limits: { maxAttempts: 3, onInterruption: 'dead-letter' as const } },
      { ...said, limits: { maxAttempts: 2 } },
      { ...said, limits: { ...limits, timeoutMs: 1 } },
      { ...said, limits: undefined },
      { ...said, interruptions: undefined },
      { ...said, acceptedAt: at(2) },
      { ...said, traceparent: undefined },
      { ...said, traceparent: traceparent.replace('b', 'c') },
      // A message may contain anything, an operator of MongoDB's too.
      { ...said, body: { $gt: '' } as unknown as string },
      { ...said, interruptions: { $gt: 0 } as unknown as number },
      { ...said, limits: { ...limits, maxAttempts: { $gt: 0 } as unknown as number } },
    ];
    for (const other of others) {
      expect(await ports.ledger.commit([{ ...claim(guard), said: other }])).toMatchObject([{ applied: false }]);
    }
    expect(await theEntry(ports, userId, 1)).toMatchObject({ status: 'queued', attempts: 0 });
    expect(await ports.ledger.commit([{ ...claim(guard), said }])).toEqual([applied]);
  });

  test('what neither the message nor the entry says does not keep them apart', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1);
    const said = { body: '"1"', acceptedAt: at(1) };
    const change = { ...claim({ userId, seq: 1, token: 7, attempt: 1 }), said };
    expect(await ports.ledger.commit([change])).toEqual([applied]);
  });

  test('after a claim with a higher token the old owner can neither settle nor retry nor claim the request [R7]', async () => {
    const userId = newUserId();
    const old = { userId, seq: 1, token: 7, attempt: 1 };
    await insertQueued(ports, userId, 1);
    await ports.ledger.commit([claim(old)]);
    expect(await ports.ledger.commit([claim({ userId, seq: 1, token: 8, attempt: 2 })])).toEqual([applied]);
    for (const change of [
      done(old),
      failed(old),
      retry(old),
      claim({ ...old, attempt: 2 }),
      claim({ ...old, attempt: 3 }),
    ]) {
      expect(await ports.ledger.commit([change])).toMatchObject([{ applied: false, entry: { token: 8, attempts: 2 } }]);
    }
  });

  test('a change of an attempt that is not the newest is refused', async () => {
    const userId = newUserId();
    const guard = { userId, seq: 1, token: 7 };
    await insertQueued(ports, userId, 1);
    const commit = async (change: Parameters<typeof claim>[0], make: typeof claim | typeof done = claim) =>
      (await ports.ledger.commit([make(change)]))[0];
    expect(await commit({ ...guard, attempt: 2 })).toMatchObject({ applied: false, entry: { status: 'queued' } });
    expect(await commit({ ...guard, attempt: 1 }, done)).toMatchObject({ applied: false, entry: { status: 'queued' } });
    expect(await commit({ ...guard, attempt: 1 })).toEqual(applied);
    expect(await commit({ ...guard, attempt: 2 }, done)).toMatchObject({ applied: false });
    expect(await commit({ ...guard, attempt: 0 }, done)).toMatchObject({ applied: false });
  });

  test('a settlement or retry with a lower or higher token than the claim is refused [R7]', async () => {
    const userId = newUserId();
    await insertQueued(ports, userId, 1);
    await ports.ledger.commit([claim({ userId, seq: 1, token: 7, attempt: 1 })]);
    const others = [6, 8].map((token) => ({ userId, seq: 1, token, attempt: 1 }));
    for (const change of others.flatMap((guard) => [done(guard), failed(guard), retry(guard)])) {
      expect(await ports.ledger.commit([change])).toMatchObject([{ applied: false, entry: { status: 'processing' } }]);
    }
    expect(await theEntry(ports, userId, 1)).not.toHaveProperty('error');
  });

  test('a change of an entry that does not exist is refused, without an entry', async () => {
    const guard = { userId: newUserId(), seq: 1, token: 7, attempt: 1 };
    const refused = { applied: false, entry: undefined };
    expect(await ports.ledger.commit([claim(guard)])).toEqual([refused]);
    expect(await ports.ledger.commit([done(guard)])).toEqual([refused]);
    expect(await ports.ledger.read([guard])).toEqual([]);
  });

  test('each change is independent, and the results are in the order of the changes', async () => {
    const userId = newUserId();
    const guard = (seq: number) => ({ userId, seq, token: 7, attempt: 1 });
    await insertQueued(ports, userId, 1, 2, 3);
    await ports.ledger.commit([claim(guard(1))]);
    await ports.ledger.cancel({ userId, seq: 2 }, at(5));
    const changes = [claim(guard(9)), done(guard(1)), claim(guard(2)), claim(guard(3))];
    const results = await ports.ledger.commit(changes);
    expect(results.map((result) => result.applied)).toEqual([false, true, false, true]);
    expect(await theEntry(ports, userId, 1)).toMatchObject({ status: 'done' });
    expect(await theEntry(ports, userId, 3)).toMatchObject({ status: 'processing' });
    expect(await ports.ledger.commit([])).toEqual([]);
  });

  test('objects given to the store or returned by it can change without changing the ledger', async () => {
    const userId = newUserId();
    const guard = { userId, seq: 1, token: 7, attempt: 1 };
    await insertQueued(ports, userId, 1);
    await ports.ledger.commit([claim(guard)]);
    const change = retry(guard) as Extract<LedgerChange, { kind: 'retry' }>;
    await ports.ledger.commit([change]);
    const [read, [refused]] = [
      await theEntry(ports, userId, 1),
      await ports.ledger.commit([done({ ...guard, token: 6 })]),
    ];
    const copy = structuredClone(read);
    change.error.message = 'changed';
    change.retryAt.setTime(0);
    for (const entry of [read, refused?.applied === false ? refused.entry : undefined]) entry?.acceptedAt.setTime(0);
    expect(await theEntry(ports, userId, 1)).toEqual(copy);
  });

  test('a commit that is sent twice, because its answer was lost, is reported as applied and changes nothing', async () => {
    const userId = newUserId();
    const guard = (seq: number) => ({ userId, seq, token: 7, attempt: 1 });
    await insertQueued(ports, userId, 1, 2, 3, 4);
    const claims = [1, 2, 3, 4].map((seq) => claim(guard(seq)));
    await ports.ledger.commit(claims);
    expect(await ports.ledger.commit(claims)).toEqual([applied, applied, applied, applied]);
    const ends = [done(guard(1)), failed(guard(2)), retry(guard(3))];
    await ports.ledger.commit(ends);
    const before = await ports.ledger.page(userId, { after: 0, limit: 10 });
    expect(await ports.ledger.commit(ends)).toEqual([applied, applied, applied]);
    expect(await ports.ledger.page(userId, { after: 0, limit: 10 })).toEqual(before);
  });

  test('what an earlier owner left processing can be queued again or given up by the next owner, which fences the first', async () => {
    const userId = newUserId();
    const old = (seq: number) => ({ userId, seq, token: 7, attempt: 1 });
    const mine = (seq: number) => ({ ...old(seq), token: 8 });
    await insertQueued(ports, userId, 1, 2, 3);
    await ports.ledger.commit([claim(old(1)), claim(old(2)), claim(old(3))]);
    const changes = [requeue(mine(1)), giveUp(mine(2), 'failed'), giveUp(mine(3), 'blocked')];
    // Sent twice, because the first answer was lost.
    for (const _ of [1, 2]) expect(await ports.ledger.commit(changes)).toEqual([applied, applied, applied]);
    const counts = { token: 8, attempts: 1, interruptions: 1, forgiven: 1 };
    expect(await theEntry(ports, userId, 1)).toMatchObject({ ...counts, status: 'queued' });
    const letter = { error: { name: 'Error', message: 'cut' }, deadLetter: { reason: 'interrupted', at: at(20) } };
    expect(await theEntry(ports, userId, 2)).toMatchObject({
      ...counts,
      ...letter,
      status: 'failed',
      settledAt: at(20),
    });
    expect(await theEntry(ports, userId, 3)).toMatchObject({ ...counts, ...letter, status: 'blocked' });
    for (const late of [done(old(1)), done(old(2)), retry(old(3)), giveBack(old(1))]) {
      expect(await ports.ledger.commit([late])).toMatchObject([{ applied: false, entry: { token: 8 } }]);
    }
    expect(await ports.ledger.commit([claim({ ...mine(1), attempt: 2 })])).toEqual([applied]);
  });

  test("nothing else can be queued again or given up: not a settled, a queued or a failing request, nor a later owner's", async () => {
    const userId = newUserId();
    const guard = (seq: number) => ({ userId, seq, token: 7, attempt: 1 });
    await insertQueued(ports, userId, 1, 2, 3, 4, 5);
    await ports.ledger.commit([1, 3, 4, 5].map((seq) => claim(guard(seq))));
    await ports.ledger.commit([done(guard(1)), retry(guard(3))]);
    await ports.ledger.commit([claim({ ...guard(5), attempt: 2 })]);
    const before = await ports.ledger.page(userId, { after: 0, limit: 10 });
    for (const make of [requeue, (of: ReturnType<typeof guard>) => giveUp(of, 'failed')]) {
      const changes = [make(guard(1)), make({ ...guard(2), attempt: 0 }), make(guard(3)), make(guard(5))];
      const results = await ports.ledger.commit([...changes, make({ ...guard(4), token: 6 })]);
      expect(results.map((result) => result.applied)).toEqual([false, false, false, false, false]);
    }
    expect(await ports.ledger.page(userId, { after: 0, limit: 10 })).toEqual(before);
  });

  test('of several owners that claim concurrently exactly one gets the attempt', async () => {
    const userId = newUserId();
    for (let seq = 1; seq <= 20; seq += 1) {
      await insertQueued(ports, userId, seq);
      const claims = [7, 8, 9].map((token) => claim({ userId, seq, token, attempt: 1 }));
      const results = await Promise.all(claims.map((change) => ports.ledger.commit([change])));
      expect(results.flat().filter((result) => result.applied)).toHaveLength(1);
      expect(await theEntry(ports, userId, seq)).toMatchObject({ status: 'processing', attempts: 1 });
    }
  });
});
