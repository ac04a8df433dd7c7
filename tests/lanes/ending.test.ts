/** An operator ends runs, on real servers, with workers in this process: nobody can end a process here [R14]. */
import { expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import { pollUntil } from '../../lib/poll.ts';
import { endRequest } from '../../lib/requests/end.ts';
import type { Outcome } from '../../lib/types.ts';
import { eventually, openWorld, type TestUser, type World } from '../support/world.ts';
import { error, heldRuns } from './runs.ts';

/** Far longer than a test may take: nothing here waits for a sweep or a timer. */
const never = { sweepMs: 600_000, stuckAfterMs: 600_000 };

const end = async (world: World, { userId }: TestUser, seq: number, waitMs = 0) =>
  (await endRequest({ userId, seq }, (_what, check) => pollUntil(systemClock, waitMs, check), world.deps)).entry;

const ended = {
  status: 'failed',
  error: { name: 'RunEndedError', message: 'An operator ended the run' },
  deadLetter: { reason: 'ended' },
};

/** A user in a run that the test ends, with a request behind it. */
const openRun = async (overrides: Parameters<typeof openWorld>[0] = {}) => {
  const world = await openWorld({ lanes: 1, ...never, ...overrides });
  const runs = heldRuns();
  let hasExited = false;
  const { workers } = world.stores;
  const report: typeof workers.report = async (heartbeat) => {
    if (!hasExited) await workers.report(heartbeat);
  };
  const worker = world.work(runs.runRequest, { stores: { workers: { ...workers, report } } });
  /** As if its process had exited: its heartbeat stops. */
  const exit = () => {
    hasExited = true;
  };
  const user = await world.user();
  await world.enqueue(user, 1);
  await world.enqueue(user, 2);
  const run = await runs.running(user, 1);
  return { world, worker, exit, user, run, ...runs };
};

const outcomes: [what: string, outcome: Outcome][] = [
  ['asks for a retry', { kind: 'retry', error, delayMs: 600_000 }],
  ['blocks its user', { kind: 'blocked', error, reason: 'failed' }],
];

test.each(outcomes)('a run that %s after its end is a dead letter, and the next request runs', async (_, outcome) => {
  const { world, user, run, running } = await openRun();
  await using _world = world;
  run.signal.addEventListener('abort', () => run.end(outcome));
  expect(await end(world, user, 1, 10_000)).toMatchObject({
    ...ended,
    attempts: 1,
    error: { ...ended.error, cause: error },
  });
  expect(run.signal.reason).toMatchObject({ name: 'RunEndedError' });
  (await running(user, 2)).end();
  expect(await world.settled(user, 2)).toMatchObject({ status: 'done', attempts: 1 });
});

test('a run that succeeds although an operator ended it is done', async () => {
  const { world, user, run } = await openRun();
  await using _world = world;
  run.signal.addEventListener('abort', () => run.end({ kind: 'done', result: '"in time"' }));
  expect(await end(world, user, 1, 10_000)).toMatchObject({ status: 'done', result: '"in time"' });
});

test('a call may be repeated, while the run goes on and afterwards', async () => {
  const { world, user, run } = await openRun();
  await using _world = world;
  const first = await end(world, user, 1);
  expect(first).toMatchObject({ status: 'processing', endRequestedAt: expect.any(Date) });
  expect(await end(world, user, 1)).toEqual(first);
  await eventually('the signal has aborted', () => run.signal.aborted);
  run.end({ kind: 'retry', error, delayMs: 0 });
  await world.settled(user, 1);
  expect(await end(world, user, 1)).toMatchObject(ended);
});

test.each([
  ['queued', 2, 'Request 2 does not run; it is queued: cancel it, or wait until it runs.'],
  ['unknown', 9, 'There is no request 9.'],
])('a request that is %s has no run to end', async (_, seq, message) => {
  const { world, user, run } = await openRun();
  await using _world = world;
  await expect(end(world, user, seq)).rejects.toThrow(message);
  run.end();
});

test.each<[string, Outcome, string]>([
  ['in its back-off', outcomes[0]?.[1] as Outcome, 'waits for its next attempt: skip or cancel it'],
  ['blocked', outcomes[1]?.[1] as Outcome, 'is blocked: skip or retry it'],
])('a request that is %s has no run to end', async (_, outcome, message) => {
  const { world, user, run } = await openRun();
  await using _world = world;
  run.end(outcome);
  await eventually('its failure is recorded', async () => (await world.entry(user, 1))?.error);
  await expect(end(world, user, 1)).rejects.toThrow(message);
});

test('a decision whose wake is lost is noticed', async () => {
  const { world, user, run, running } = await openRun({ stuckAfterMs: 1_000 });
  await using _world = world;
  await world.stores.ledger.requestEnd({ userId: user.userId, seq: 1 }, new Date());
  await eventually('the signal has aborted', () => run.signal.aborted);
  run.end({ kind: 'retry', error, delayMs: 0 });
  (await running(user, 2)).end();
  expect(await world.entry(user, 1)).toMatchObject(ended);
});

test('a lent run is ended where it goes on', async () => {
  const { world, worker, user, run } = await openRun();
  await using _world = world;
  const fresh = heldRuns();
  world.work(fresh.runRequest);
  await eventually('both stand by', async () => (await world.laneConsumers(0)) === 2);
  const stopped = worker.stop();
  await eventually('the lane is lent', async () => (await world.queue(user))?.lent?.seq === 1);
  run.signal.addEventListener('abort', () => run.end({ kind: 'retry', error, delayMs: 0 }));
  expect(await end(world, user, 1, 10_000)).toMatchObject({ ...ended, attempts: 1 });
  (await fresh.running(user, 2)).end();
  await stopped;
});

test('a request whose run was ended does not run again after its worker has died', async () => {
  const world = await openWorld({ lanes: 1, ...never });
  await using _world = world;
  const user = await world.user();
  const { userId } = user;
  await world.enqueue(user, 1);
  await world.enqueue(user, 2);
  const { ledger, lanes } = world.stores;
  const token = await lanes.takeLease(0, 'other', new Date());
  const claim = { kind: 'claim', interruptions: 0, forgiven: 0, token, attempt: 1, at: new Date() } as const;
  await ledger.commit([{ userId, seq: 1, ...claim }]);
  expect(await ledger.requestEnd({ userId, seq: 1 }, new Date())).toBe(true);
  const fresh = heldRuns();
  world.work(fresh.runRequest);
  (await fresh.running(user, 2)).end();
  expect(await world.entry(user, 1)).toMatchObject({ ...ended, attempts: 1 });
  expect(fresh.of(user).map(({ seq }) => seq)).toEqual([2]);
});

test('a worker retires for a run that ignores its signal, waits for the others, and counts as gone afterwards', async () => {
  const { world, worker, exit, user, run, running } = await openRun({ graceMs: 200 });
  await using _world = world;
  const other = await world.user();
  await world.enqueue(other, 1);
  const long = await running(other, 1);
  await end(world, user, 1);
  await worker.mustRetire;
  const fresh = heldRuns();
  const successor = world.work(fresh.runRequest);
  await eventually('both stand by', async () => (await world.laneConsumers(0)) === 2);

  let mayExit = false;
  const retired = worker.retire().then(() => {
    mayExit = true;
  });
  await eventually('the successor owns the lane', () => successor.snapshot().lanesOwned === 1);
  const late = await world.user();
  await world.enqueue(late, 1);
  (await fresh.running(late, 1)).end();
  await world.settled(late, 1);
  expect([mayExit, long.signal.aborted]).toEqual([false, false]);
  expect(await world.entry(user, 1)).toMatchObject({ status: 'processing' });
  long.end();
  await retired;
  expect(await world.settled(other, 1)).toMatchObject({ status: 'done', attempts: 1 });
  expect(fresh.of(user)).toEqual([]);

  exit();
  await successor.noteGone(worker.snapshot().workerId);
  (await fresh.running(user, 2)).end();
  expect(await world.entry(user, 1)).toMatchObject({ ...ended, attempts: 1 });
  expect(fresh.of(other)).toEqual([]);
  // The outcome of a run that is not gone after all is refused.
  run.end();
});
