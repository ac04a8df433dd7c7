/** Interrupted runs, on real servers: they wait without a slot, or become dead letters because they must not run twice. */
import { describe, expect, test } from '@jest/globals';
import type { ProcessorPolicy } from '../../lib/processor.ts';
import { retryRequest } from '../../lib/requests/retry.ts';
import { createPlanRun } from '../../lib/runs/plan.ts';
import { decidePolicy } from '../../lib/runs/policy.ts';
import type { DeadLetterReason } from '../../lib/types.ts';
import { eventually, openWorld, type TestUser, type World } from '../support/world.ts';
import { done, error, heldRuns, quickRuns } from './runs.ts';

const planOf = (world: World, policy: ProcessorPolicy = {}) =>
  createPlanRun(decidePolicy(policy, world.config), world.config);

/** A request as a worker leaves it that died in the middle of a run, `times` runs in a row. */
const interrupt = async ({ stores }: World, { userId, lane }: TestUser, seq: number, times = 1) => {
  for (let attempt = 1; attempt <= times; attempt += 1) {
    const token = await stores.lanes.takeLease(lane, 'other', new Date());
    const interruptions = attempt - 1;
    const change = { kind: 'claim' as const, userId, seq, token, attempt, interruptions, forgiven: interruptions };
    expect(await stores.ledger.commit([{ ...change, at: new Date() }])).toEqual([{ applied: true }]);
  }
};

describe('a request that waits for a place', () => {
  test('of its own shows as queued too, and holds no place of the shared ones', async () => {
    await using world = await openWorld({ lanes: 1, concurrency: 1, isolatedProcesses: 2 });
    const suspects = await Promise.all(Array.from({ length: 3 }, () => world.user()));
    const innocent = await world.user();
    for (const user of [...suspects, innocent]) {
      await world.enqueue(user, 1);
      await interrupt(world, user, 1, 2);
    }
    const alone = suspects.map(({ userId }) => userId);
    const { runs, runRequest, running } = heldRuns();
    const runsAlone = ({ userId }: { userId: string }) => alone.includes(userId);
    world.work(runRequest, { planRun: createPlanRun(decidePolicy({}, world.config), world.config, runsAlone) });
    await running(innocent, 1);
    await eventually('two of them wait', async () => {
      const entries = await Promise.all(suspects.map((user) => world.entry(user, 1)));
      return entries.filter((entry) => entry?.status === 'queued').length === 2 && runs.length === 2;
    });
    await eventually('all have run', () => {
      for (const run of runs) run.end();
      return runs.length === 4;
    });
  });

  test('is not claimed before it gets one: it shows as queued, and holds no slot', async () => {
    await using world = await openWorld({ lanes: 1, concurrency: 1, isolatedProcesses: 2 });
    const suspects = await Promise.all(Array.from({ length: 18 }, () => world.user()));
    for (const user of suspects) {
      await world.enqueue(user, 1);
      await interrupt(world, user, 1, 2);
    }
    const { runs, runRequest, running } = heldRuns();
    world.work(runRequest, { planRun: planOf(world) });
    const entries = () => Promise.all(suspects.map((user) => world.entry(user, 1)));
    const waiting = await eventually('two of them wait', async () => {
      const queued = (await entries()).filter((entry) => entry?.status === 'queued');
      return queued.length === 2 && runs.length === 16 && queued;
    });
    for (const entry of waiting) expect(entry).toMatchObject({ attempts: 2, interruptions: 2, forgiven: 2 });

    const other = await world.user();
    await world.enqueue(other, 1);
    (await running(other, 1)).end();
    expect(await world.settled(other, 1)).toMatchObject({ status: 'done' });

    for (let ended = 0; ended < suspects.length; ended += 1)
      (await eventually('a run', () => runs.find((run) => !run.ended))).end();
    for (const user of suspects) {
      expect(await world.settled(user, 1)).toMatchObject({
        status: 'done',
        attempts: 3,
        interruptions: 2,
        forgiven: 2,
      });
    }
  });

  test('is cancelled when its user disconnects', async () => {
    await using world = await openWorld({ lanes: 1, concurrency: 1 });
    const [busy, user] = [await world.user(), await world.user()];
    const { runRequest, running, of } = heldRuns();
    world.work(runRequest, { planRun: planOf(world) });
    await world.enqueue(busy, 1);
    const run = await running(busy, 1);
    await world.stores.userQueues.takeTicket(user.userId, user.sessionId, new Date());
    await world.stores.ledger.insert({ userId: user.userId, seq: 1, body: '1', acceptedAt: new Date() });
    const claim = { kind: 'claim' as const, userId: user.userId, seq: 1, attempt: 1, interruptions: 0, forgiven: 0 };
    await world.stores.ledger.commit([{ ...claim, token: 0, at: new Date() }]);
    await world.deps.publisher.publishWake(user.lane, user.userId);
    await eventually('it is queued again', async () => (await world.entry(user, 1))?.status === 'queued');
    await world.disconnect(user, { pending: 'cancel' });
    run.end();
    await eventually('the queue is closed', async () => (await world.queue(user))?.state === 'closed');
    expect(await world.entry(user, 1)).toMatchObject({ status: 'cancelled', attempts: 1 });
    expect(of(user)).toEqual([]);
  });
});

describe('work that must not run twice', () => {
  const interruptedLetter = (reason: DeadLetterReason = 'interrupted') => ({
    attempts: 1,
    interruptions: 1,
    deadLetter: { reason },
    error: { name: 'RunInterruptedError', message: expect.stringContaining('must not run twice') },
  });

  test.each([
    ['the policy says so', { onInterruption: 'dead-letter' } as const, undefined],
    ['the request asks for it', {}, { onInterruption: 'dead-letter' } as const],
    ['the request asks for less', { onInterruption: 'dead-letter' } as const, { onInterruption: 'rerun' } as const],
  ])('is dead-lettered when its worker died, where %s, and its user goes on', async (_what, policy, limits) => {
    await using world = await openWorld();
    const letters: unknown[] = [];
    const user = await world.user();
    await world.enqueue(user, 'once', undefined, limits);
    await world.enqueue(user, 'next');
    await interrupt(world, user, 1);
    const { runRequest, seqs } = quickRuns();
    const observer = { deadLettered: (event: unknown) => letters.push(event) };
    world.work(runRequest, { planRun: planOf(world, policy), observer });
    expect(await world.settled(user, 2)).toMatchObject({ status: 'done' });
    expect(await world.entry(user, 1)).toMatchObject({ status: 'failed', ...interruptedLetter() });
    expect(seqs(user)).toEqual([2]);
    expect(letters).toMatchObject([{ seq: 1, status: 'failed', reason: 'interrupted' }]);
  });

  test('blocks its user where failures do, until a person decides', async () => {
    await using world = await openWorld();
    const user = await world.user();
    await world.enqueue(user, 'once');
    await world.enqueue(user, 'next');
    await interrupt(world, user, 1);
    const { runRequest, seqs } = quickRuns();
    world.work(runRequest, { planRun: planOf(world, { onInterruption: 'dead-letter', onFailure: 'block' }) });
    const blocked = await eventually('it is blocked', async () => {
      const entry = await world.entry(user, 1);
      return entry?.status === 'blocked' && entry;
    });
    expect(blocked).toMatchObject(interruptedLetter());
    await retryRequest({ userId: user.userId, seq: 1, sessionId: user.sessionId }, world.deps);
    expect(await world.settled(user, 2)).toMatchObject({ status: 'done' });
    expect(await world.entry(user, 1)).toMatchObject({ status: 'done', attempts: 2 });
    expect(seqs(user)).toEqual([1, 2]);
  });

  test('is dead-lettered when its worker stops and aborts the run, not given back', async () => {
    await using world = await openWorld({ graceMs: 100 });
    const user = await world.user();
    await world.enqueue(user, 'once', undefined, { onInterruption: 'dead-letter' });
    let runs = 0;
    const worker = world.work(
      ({ signal }) => {
        runs += 1;
        const ended = { kind: 'retry' as const, error, delayMs: 1 };
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve(ended)));
      },
      { planRun: planOf(world) },
    );
    await eventually('it runs', () => runs === 1);
    await worker.stop();
    expect(await world.settled(user, 1)).toMatchObject({ status: 'failed', deadLetter: { reason: 'interrupted' } });
    expect(runs).toBe(1);
  });

  test('runs again after an attempt that failed', async () => {
    await using world = await openWorld();
    const user = await world.user();
    const { runRequest, runs } = quickRuns(({ attempt }) =>
      attempt === 1 ? { kind: 'retry', error, delayMs: 5 } : done,
    );
    world.work(runRequest, { planRun: planOf(world) });
    await world.enqueue(user, 'once', undefined, { onInterruption: 'dead-letter' });
    expect(await world.settled(user, 1)).toMatchObject({ status: 'done', attempts: 2 });
    expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  test('runs isolated when a person retries it after two interruptions', async () => {
    await using world = await openWorld();
    const user = await world.user();
    const limits = { onInterruption: 'dead-letter' } as const;
    const command = { userId: user.userId, sessionId: user.sessionId, body: '1', limits, interruptions: 1 };
    await world.stores.userQueues.takeTicket(user.userId, user.sessionId, new Date());
    await world.stores.ledger.insert({ ...command, seq: 1, acceptedAt: new Date() });
    const { userId, lane } = user;
    const token = await world.stores.lanes.takeLease(lane, 'other', new Date());
    const claim = { kind: 'claim' as const, userId, seq: 1, token, attempt: 1, interruptions: 1, forgiven: 0 };
    await world.stores.ledger.commit([{ ...claim, at: new Date() }]);
    const { runRequest, runs } = quickRuns();
    world.work(runRequest, { planRun: planOf(world) });
    await world.settled(user, 1);
    await retryRequest({ userId, seq: 1, sessionId: user.sessionId }, world.deps);
    expect(await world.settled(user, 2)).toMatchObject({ status: 'done', limits });
    expect(runs).toMatchObject([{ seq: 2, interruptions: 2, limits }]);
  });
});
