/** The lane protocol on real servers: what runs when, with runs that end when the test says so. */
import { describe, expect, test } from '@jest/globals';
import type { RunRequest } from '../../lib/ports.ts';
import { retryRequest } from '../../lib/requests/retry.ts';
import type { Outcome, Run } from '../../lib/types.ts';
import { eventually, openWorld, type TestUser } from '../support/world.ts';

const done: Outcome = { kind: 'done', result: 'null' };
const error = { name: 'Error', message: 'no luck' };

/** Runs that the test ends by hand, in the order they started. */
const heldRuns = () => {
  const runs: (Run & { end: (outcome?: Outcome) => void; ended: boolean })[] = [];
  const runRequest: RunRequest = (run) =>
    new Promise((resolve) => {
      const held = {
        ...run,
        ended: false,
        end(outcome: Outcome = done) {
          held.ended = true;
          resolve(outcome);
        },
      };
      runs.push(held);
    });
  const of = ({ userId }: TestUser) => runs.filter((run) => run.userId === userId);
  const running = (user: TestUser, seq: number) =>
    eventually(`request ${seq} runs`, () => of(user).find((run) => run.seq === seq && !run.ended));
  return { runs, runRequest, of, running };
};

/** Runs that end at once, written down. */
const quickRuns = (outcome: (run: Run) => Outcome = () => done) => {
  const runs: Run[] = [];
  const runRequest: RunRequest = async (run) => {
    runs.push(run);
    return outcome(run);
  };
  return {
    runs,
    runRequest,
    seqs: ({ userId }: TestUser) => runs.filter((run) => run.userId === userId).map(({ seq }) => seq),
  };
};

describe('work', () => {
  test('the requests of a user run one at a time, in the order of seq, while users run side by side', async () => {
    await using world = await openWorld();
    const { runRequest, of, running } = heldRuns();
    const [anna, bert] = [await world.user(), await world.user()];
    for (const user of [anna, bert]) for (const n of [1, 2, 3]) await world.enqueue(user, n);
    world.work(runRequest);

    for (const seq of [1, 2, 3]) {
      const [a, b] = await Promise.all([running(anna, seq), running(bert, seq)]);
      expect([of(anna).length, of(bert).length]).toEqual([seq, seq]);
      expect(a.body).toBe(String(seq));
      b.end();
      a.end({ kind: 'done', result: `"${seq}"` });
    }
    expect(await world.settled(anna, 3)).toMatchObject({ status: 'done', result: '"3"', attempts: 1 });
  });

  test('a failing request is run again in its place, and nothing overtakes it', async () => {
    await using world = await openWorld();
    const error = { name: 'Error', message: 'not yet' };
    const { runs, runRequest } = quickRuns(({ seq, attempt }) =>
      seq === 1 && attempt < 3 ? { kind: 'retry', error, delayMs: 20 } : done,
    );
    world.work(runRequest);
    const user = await world.user();
    await world.enqueue(user, 'a');
    await world.enqueue(user, 'b');
    await world.settled(user, 2);
    expect(runs.map(({ seq, attempt }) => `${seq}.${attempt}`)).toEqual(['1.1', '1.2', '1.3', '2.1']);
    expect(await world.entry(user, 1)).toMatchObject({ status: 'done', attempts: 3 });
  });

  test('a request that failed for good is recorded with its error, and the next one runs', async () => {
    await using world = await openWorld();
    const error = { name: 'UnrecoverableError', message: 'never' };
    const { runRequest } = quickRuns(({ seq }) => (seq === 1 ? { kind: 'failed', error, reason: 'failed' } : done));
    world.work(runRequest);
    const user = await world.user();
    await world.enqueue(user, 'a');
    await world.enqueue(user, 'b');
    await world.settled(user, 2);
    expect(await world.entry(user, 1)).toMatchObject({ status: 'failed', error, attempts: 1 });
  });

  test('a request cancelled in time never runs', async () => {
    await using world = await openWorld();
    const { runRequest, running, of } = heldRuns();
    world.work(runRequest);
    const user = await world.user();
    for (const n of [1, 2, 3]) await world.enqueue(user, n);
    const first = await running(user, 1);
    expect(await world.stores.ledger.cancel({ userId: user.userId, seq: 2 }, new Date())).toBe(true);
    expect(await world.stores.ledger.cancel({ userId: user.userId, seq: 1 }, new Date())).toBe(false);
    first.end();
    (await running(user, 3)).end();
    expect(await world.settled(user, 3)).toMatchObject({ status: 'done' });
    expect(of(user).map(({ seq }) => seq)).toEqual([1, 3]);
  });

  test('at most CONCURRENCY runs at a time, and a user with a long backlog does not delay another user', async () => {
    await using world = await openWorld({ concurrency: 2 });
    const { runs, runRequest, running, of } = heldRuns();
    const [busy, busier, late] = [await world.user(), await world.user(), await world.user()];
    for (const user of [busy, busier]) for (let n = 0; n < 30; n += 1) await world.enqueue(user, n);
    world.work(runRequest);
    const first = await running(busy, 1);
    await running(busier, 1);
    await world.enqueue(late, 'x');
    await eventually('the late user waits for a slot', async () => (await world.queue(late))?.state === 'open');
    expect(runs).toHaveLength(2);
    first.end();
    let started = 2;
    for (; of(late).length === 0; started += 1) (await eventually(`run ${started + 1}`, () => runs[started])).end();
    expect(started).toBeLessThan(10);
  });

  test('a ticket whose function died is buried after gapTimeoutMs, and what follows it runs', async () => {
    await using world = await openWorld({ gapTimeoutMs: 200 });
    const { runRequest, seqs } = quickRuns();
    world.work(runRequest);
    const user = await world.user();
    await world.stores.userQueues.takeTicket(user.userId, user.sessionId, new Date());
    await world.enqueue(user, 'b');
    await world.settled(user, 2);
    expect(await world.entry(user, 1)).toMatchObject({ status: 'abandoned' });
    expect(seqs(user)).toEqual([2]);
  });

  test('a recorded request whose message never came is found by the sweep', async () => {
    await using world = await openWorld({ stuckAfterMs: 200, sweepMs: 100 });
    const { runRequest } = quickRuns();
    world.work(runRequest);
    const user = await world.user();
    await world.stores.userQueues.takeTicket(user.userId, user.sessionId, new Date());
    await world.stores.ledger.insert({ userId: user.userId, seq: 1, body: '1', acceptedAt: new Date() });
    expect(await world.settled(user, 1)).toMatchObject({ status: 'done' });
  });
});

describe('closing', () => {
  test('the user queue is deleted when the last session has ended and everything is settled, not before', async () => {
    await using world = await openWorld();
    const { runRequest, running } = heldRuns();
    world.work(runRequest);
    const user = await world.user();
    const other = await world.login(user);
    await world.enqueue(user, 1);
    const first = await running(user, 1);
    await eventually('the queue is there', () => world.userQueueExists(user));
    expect(await world.disconnect(other)).toBe('connected');
    expect(await world.disconnect(user)).toBe('draining');
    expect(await world.userQueueExists(user)).toBe(true);
    first.end();
    expect(await world.disconnect(user, { waitMs: 5_000 })).toBe('closed');
    expect(await world.userQueueExists(user)).toBe(false);
    expect(await world.queue(user)).toMatchObject({ state: 'closed', accepted: 1, settled: 1 });
  });

  test('a disconnect that cancels leaves only what had started', async () => {
    await using world = await openWorld();
    const { runRequest, running, of } = heldRuns();
    world.work(runRequest);
    const user = await world.user();
    for (const n of [1, 2, 3, 4]) await world.enqueue(user, n);
    const first = await running(user, 1);
    expect(await world.disconnect(user, { pending: 'cancel' })).toBe('draining');
    first.end();
    expect(await world.disconnect(user, { waitMs: 5_000 })).toBe('closed');
    expect(of(user)).toHaveLength(1);
    const statuses = await Promise.all([1, 2, 3, 4].map(async (seq) => (await world.entry(user, seq))?.status));
    expect(statuses).toEqual(['done', 'cancelled', 'cancelled', 'cancelled']);
  });

  test('an idle user queue is closed, and the next request opens it again', async () => {
    await using world = await openWorld({ idleTimeoutMs: 150 });
    const { runRequest, seqs } = quickRuns();
    world.work(runRequest);
    const user = await world.user();
    for (const round of [1, 2, 3]) {
      await world.enqueue(user, round);
      await world.settled(user, round);
      await eventually('closed', async () => (await world.queue(user))?.state === 'closed');
      expect(await world.userQueueExists(user)).toBe(false);
    }
    expect(seqs(user)).toEqual([1, 2, 3]);
  });

  test('disconnects, logins and requests of one user at any moment lose nothing and leave no queue', async () => {
    await using world = await openWorld({ idleTimeoutMs: 100 });
    const { runRequest, seqs } = quickRuns();
    world.work(runRequest);
    let user = await world.user();
    const accepted: number[] = [];
    for (let round = 0; round < 30; round += 1) {
      const next = await world.login(user);
      const [sent] = await Promise.all([
        Promise.allSettled([world.enqueue(user, round), world.enqueue(user, round), world.enqueue(next, round)]),
        world.disconnect(user),
      ]);
      for (const result of sent) if (result.status === 'fulfilled') accepted.push(result.value.seq);
      user = next;
    }
    expect(await world.disconnect(user, { waitMs: 10_000 })).toBe('closed');
    expect(await world.userQueueExists(user)).toBe(false);
    for (const seq of accepted) expect(await world.entry(user, seq)).toMatchObject({ status: 'done' });
    expect(seqs(user)).toEqual([...seqs(user)].sort((a, b) => a - b));
    expect(new Set(seqs(user)).size).toBe(seqs(user).length);
  });
});

describe('faults', () => {
  test('a user queue deleted by somebody else is declared again, and nothing in it is lost', async () => {
    await using world = await openWorld({ sweepMs: 600_000 });
    const { runRequest, running } = heldRuns();
    world.work(runRequest);
    const user = await world.user();
    for (let n = 1; n <= 12; n += 1) await world.enqueue(user, n);
    const first = await running(user, 1);
    await eventually('the queue is there', () => world.userQueueExists(user));
    await world.enqueue(user, 13);
    await world.deleteUserQueue(user);
    first.end();
    for (let seq = 2; seq <= 13; seq += 1) (await running(user, seq)).end();
    await eventually('the queue is there again', () => world.userQueueExists(user));
    await world.enqueue(user, 14);
    (await running(user, 14)).end();
    expect(await world.settled(user, 14)).toMatchObject({ status: 'done', attempts: 1 });
  });

  test('when a worker loses the broker, another one runs its requests again, with a higher fencing token, and refuses its outcome', async () => {
    await using world = await openWorld({ lanes: 1 });
    const [old, fresh] = [heldRuns(), heldRuns()];
    const way = await world.cuttable();
    world.work(old.runRequest, { config: way.config });
    const user = await world.user();
    await world.enqueue(user, 1);
    await world.enqueue(user, 2);
    const stale = await old.running(user, 1);
    world.work(fresh.runRequest);
    await eventually('both stand by', async () => (await world.laneConsumers(0)) === 2);
    await way.cut();
    const again = await fresh.running(user, 1);
    expect(again).toMatchObject({ attempt: 2, forgiven: 1, interruptions: 1 });
    expect(again.fencingToken).toBeGreaterThan(stale.fencingToken);
    expect(stale.signal.aborted).toBe(true);
    stale.end({ kind: 'done', result: '"stale"' });
    again.end({ kind: 'done', result: '"fresh"' });
    (await fresh.running(user, 2)).end();
    await world.settled(user, 2);
    expect(await world.entry(user, 1)).toMatchObject({ status: 'done', result: '"fresh"', attempts: 2 });
  });

  test('a worker that loses the broker alone takes its lanes again and does not run beside itself', async () => {
    await using world = await openWorld();
    const { runRequest, running, of } = heldRuns();
    const way = await world.cuttable();
    const worker = world.work(runRequest, { config: way.config });
    const user = await world.user();
    await world.enqueue(user, 1);
    await world.enqueue(user, 2);
    const first = await running(user, 1);
    await way.cut();
    await eventually('the lanes are its own again', () => worker.snapshot().lanesOwned === world.config.lanes);
    first.end({ kind: 'done', result: '"kept"' });
    (await running(user, 2)).end();
    expect(await world.settled(user, 1)).toMatchObject({ status: 'done', result: '"kept"', attempts: 1 });
    expect(of(user).map(({ seq }) => seq)).toEqual([1, 2]);
  });

  test('an owner that finds a request settled under a later token goes on only under a later token of its own', async () => {
    await using world = await openWorld({ lanes: 1 });
    const { runs, runRequest } = quickRuns();
    const worker = world.work(runRequest);
    await eventually('the lane is owned', () => worker.snapshot().lanesOwned === 1);
    const user = await world.user();
    const { userId, sessionId } = user;
    const { ledger, userQueues } = world.stores;
    const at = new Date();
    await userQueues.takeTicket(userId, sessionId, at);
    await ledger.insert({ userId, seq: 1, body: '1', acceptedAt: at });
    const later = { userId, seq: 1, token: 2, attempt: 1, at };
    await ledger.commit([{ ...later, kind: 'claim', interruptions: 0, forgiven: 0 }]);
    await ledger.commit([{ ...later, kind: 'settle', status: 'done', result: '1' }]);
    await world.enqueue(user, 2);
    await world.settled(user, 2);
    expect(runs.map(({ seq, fencingToken }) => [seq, fencingToken])).toEqual([[2, 2]]);
  });

  test('a run that a stopping worker gives back counts neither as an attempt nor as an interruption', async () => {
    await using world = await openWorld({ graceMs: 0 });
    const user = await world.user();
    await world.enqueue(user, 1);
    for (const attempt of [1, 2, 3]) {
      const { runRequest, running } = heldRuns();
      const worker = world.work(runRequest);
      const run = await running(user, 1);
      expect(run).toMatchObject({ attempt, forgiven: attempt - 1, interruptions: 0 });
      run.signal.addEventListener('abort', () => run.end({ kind: 'retry', error, delayMs: 0 }));
      await worker.stop();
      expect(await world.entry(user, 1)).toMatchObject({ status: 'queued', attempts: attempt, forgiven: attempt });
    }
  });

  test('after a hand-over with a backlog requests still come by message, and none needs the sweep', async () => {
    await using world = await openWorld({ sweepMs: 600_000, lanes: 1 });
    const held = heldRuns();
    const first = world.work(held.runRequest);
    const user = await world.user();
    await world.enqueue(user, 1);
    const running = await held.running(user, 1);
    await eventually('the queue is there', () => world.userQueueExists(user));
    for (let n = 2; n <= 25; n += 1) await world.enqueue(user, n);
    const stopped = first.stop();
    running.end();
    await stopped;
    const { runRequest, seqs } = quickRuns();
    world.work(runRequest);
    await world.settled(user, 25);
    for (let n = 26; n <= 50; n += 1) {
      await world.enqueue(user, n);
      await world.settled(user, n, 3_000);
    }
    expect(seqs(user)).toEqual(Array.from({ length: 49 }, (_, index) => index + 2));
  });

  test('a blocked user goes on by itself after a retry or a skip whose wake was lost', async () => {
    await using world = await openWorld({ stuckAfterMs: 300, sweepMs: 600_000 });
    const error = { name: 'Error', message: 'no' };
    const { runRequest, seqs } = quickRuns(({ seq, attempt }) =>
      seq < 3 && attempt === 1 ? { kind: 'blocked', error, reason: 'failed' } : done,
    );
    world.work(runRequest);
    const user = await world.user();
    for (const n of [1, 2, 3]) await world.enqueue(user, n);
    const blocked = (seq: number) =>
      eventually(`request ${seq} is blocked`, async () => (await world.entry(user, seq))?.status === 'blocked');
    await blocked(1);
    expect(await world.stores.ledger.unblock({ userId: user.userId, seq: 1, attempts: 1 })).toBe(true);
    await blocked(2);
    expect(await world.stores.ledger.skip({ userId: user.userId, seq: 2 }, new Date())).toBe(true);
    await world.settled(user, 3);
    expect(seqs(user)).toEqual([1, 1, 2, 3]);
    expect(await world.entry(user, 1)).toMatchObject({ status: 'done', attempts: 2, forgiven: 1 });
  });

  test('a retry whose wake comes before the owner has heard of its own block is not missed', async () => {
    await using world = await openWorld({ stuckAfterMs: 600_000, sweepMs: 600_000 });
    const user = await world.user();
    const { ledger, lanes } = world.stores;
    let looks = 0;
    const retryAndBeSeen = async (): Promise<void> => {
      const before = looks;
      await retryRequest({ ...user, seq: 1 }, world.deps);
      await eventually('the owner has looked', () => looks > before);
    };
    const { runRequest } = quickRuns(({ attempt }) =>
      attempt === 1 ? { kind: 'blocked', error, reason: 'failed' } : done,
    );
    world.work(runRequest, {
      stores: {
        lanes: {
          ...lanes,
          // The end of each look.
          async leases(asked) {
            const leases = await lanes.leases(asked);
            looks += 1;
            return leases;
          },
        },
        ledger: {
          ...ledger,
          async commit(changes) {
            const results = await ledger.commit(changes);
            if (changes.some(({ kind }) => kind === 'block')) await retryAndBeSeen();
            return results;
          },
        },
      },
    });
    await world.enqueue(user, 1);
    await eventually('it has run again', async () => (await world.entry(user, 1))?.status === 'done');
  });

  test('a user found closing is closed by the next owner', async () => {
    await using world = await openWorld();
    const user = await world.user();
    await world.enqueue(user, 1);
    await world.stores.ledger.cancelQueued(user.userId, { after: 0, upTo: 1 }, new Date());
    await world.stores.userQueues.removeSession(user.userId, user.sessionId);
    expect(await world.stores.userQueues.beginClose(user.userId, 1, true, new Date())).toBe(true);
    world.work(quickRuns().runRequest);
    await eventually('closed', async () => (await world.queue(user))?.state === 'closed');
    expect(await world.userQueueExists(user)).toBe(false);
  });
});

describe('sharing the lanes', () => {
  test('a worker that joins later gets its share within 10 s, and no user is run out of order or twice', async () => {
    await using world = await openWorld({ lanes: 16, balanceMs: 300 });
    const { runRequest, runs, seqs } = quickRuns();
    const first = world.work(runRequest);
    const users = await Promise.all(Array.from({ length: 20 }, () => world.user()));
    await eventually('all lanes are owned', () => first.snapshot().lanesOwned === 16);
    let sending = true;
    const senders = users.map(async (user) => {
      let sent = 0;
      while (sending) sent = (await world.enqueue(user, sent)).seq;
      return sent;
    });
    const second = world.work(runRequest);
    await eventually(
      'the lanes are shared',
      () => first.snapshot().lanesOwned === 8 && second.snapshot().lanesOwned === 8,
    );
    sending = false;
    const sent = await Promise.all(senders);
    await Promise.all(users.map((user, index) => world.settled(user, sent[index] ?? 0)));
    for (const user of users)
      expect(seqs(user)).toEqual(Array.from({ length: seqs(user).length }, (_, index) => index + 1));
    expect(runs.every(({ attempt }) => attempt === 1)).toBe(true);
  });

  test('a worker that joins many others gets its share within 10 s, at the default times', async () => {
    await using world = await openWorld({ lanes: 64 });
    const { runRequest } = quickRuns();
    const workers = Array.from({ length: 5 }, () => world.work(runRequest));
    const shares = () => workers.map((worker) => worker.snapshot().lanesOwned).sort((a, b) => a - b);
    await eventually('five share the lanes', () => shares().join() === '12,13,13,13,13', 60_000);
    workers.push(world.work(runRequest));
    await eventually('six share the lanes', () => shares().join() === '10,10,11,11,11,11', 10_000);
  }, 90_000);

  test('a worker that must stop while it hands a lane over starts nothing more in it', async () => {
    await using world = await openWorld({ lanes: 2, balanceMs: 100 });
    const userIn = async (lane: number): Promise<TestUser> => {
      for (let user = await world.user(); ; user = await world.user()) if (user.lane === lane) return user;
    };
    const long = [await userIn(0), await userIn(1)];
    const short = [await userIn(0), await userIn(1)];
    const [old, fresh] = [heldRuns(), heldRuns()];
    const first = world.work(old.runRequest);
    await eventually('all lanes are owned', () => first.snapshot().lanesOwned === 2);
    for (const user of [...long, ...short]) await world.enqueue(user, 1);
    for (const user of short) (await old.running(user, 1)).end();
    for (const user of short) await world.settled(user, 1);
    for (const user of long) await old.running(user, 1);
    world.work(fresh.runRequest);
    await eventually('one lane is being handed over', () => first.snapshot().lanesOwned === 1);
    for (const user of short) await world.enqueue(user, 2);
    await eventually('the other lane goes on', () => old.runs.length === 5);
    const isDelivered = async (user: TestUser) => (await world.waitingMessages(user)) === 0;
    for (const user of short) await eventually('the worker has its message', () => isDelivered(user));
    const stopped = first.stop();
    for (const run of old.runs) run.end();
    await stopped;
    for (const user of short) {
      if (old.of(user).length === 1) (await fresh.running(user, 2)).end();
      expect(await world.settled(user, 2)).toMatchObject({ status: 'done', attempts: 1 });
    }
    expect(old.runs).toHaveLength(5);
  });

  test('a worker that stops under load hands everything over, and nothing runs twice', async () => {
    await using world = await openWorld({ lanes: 16 });
    const { runRequest, runs, seqs } = quickRuns();
    const slow: RunRequest = async (run) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return runRequest(run);
    };
    const first = world.work(slow);
    await eventually('all lanes are owned', () => first.snapshot().lanesOwned === 16);
    const second = world.work(slow);
    const users = await Promise.all(Array.from({ length: 20 }, () => world.user()));
    const sending = Promise.all(
      users.map(async (user) => {
        for (let n = 0; n < 20; n += 1) await world.enqueue(user, n);
      }),
    );
    await eventually('work is under way', () => runs.length > 40);
    await first.stop();
    await sending;
    await Promise.all(users.map((user) => world.settled(user, 20)));
    expect(second.snapshot().lanesOwned).toBe(16);
    for (const user of users) expect(seqs(user)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(runs.every(({ attempt }) => attempt === 1)).toBe(true);
  });
});
