/** What an owner does when the clock of its host is set, on real servers. */
import { expect, test } from '@jest/globals';
import { createLongPolls } from '../../lib/long-polls.ts';
import { lookUpRequest } from '../../lib/requests/look-up.ts';
import { settableClock } from '../support/settable-clock.ts';
import { eventually, openWorld } from '../support/world.ts';
import { done, error, quickRuns } from './runs.ts';

const minuteMs = 60_000;

test('a request in its back-off runs again when its back-off is over, although the clock was set back by a minute', async () => {
  await using world = await openWorld();
  const host = settableClock();
  const { runRequest, runs } = quickRuns(({ attempt }) =>
    attempt === 1 ? { kind: 'retry', error, delayMs: 1_000 } : done,
  );
  world.work(runRequest, { hostClock: host.clock });
  const user = await world.user();
  await world.enqueue(user, 1);
  await eventually('it waits', async () => (await world.entry(user, 1))?.retryAt);
  host.set(-minuteMs);
  expect(await world.settled(user, 1, 5_000)).toMatchObject({ status: 'done', attempts: 2 });
  expect(runs).toHaveLength(2);
});

test('a request in its back-off does not run early when the clock is set ahead by a minute', async () => {
  await using world = await openWorld();
  const host = settableClock();
  const { runRequest, runs } = quickRuns(({ body, attempt }) =>
    body === '"fails"' && attempt === 1 ? { kind: 'retry', error, delayMs: 3_600_000 } : done,
  );
  world.work(runRequest, { hostClock: host.clock });
  const user = await world.user();
  await world.enqueue(user, 'fails');
  await eventually('it waits', async () => (await world.entry(user, 1))?.retryAt);
  host.set(2 * 60 * minuteMs);
  await world.enqueue(user, 2);
  const other = await world.user();
  await world.enqueue(other, 1);
  await world.settled(other, 1);
  expect(runs.filter(({ userId }) => userId === user.userId)).toHaveLength(1);
});

test('a worker whose clock is ahead by two hours ends no session of one hour', async () => {
  await using world = await openWorld();
  const user = await world.user();
  let sweeps = 0;
  const observer = {
    swept: () => {
      sweeps += 1;
    },
  };
  world.work(quickRuns(() => done).runRequest, { hostClock: settableClock(120 * minuteMs).clock, observer });
  await eventually('it has swept twice', () => sweeps >= 2);
  await world.enqueue(user, 1);
  expect(await world.settled(user, 1)).toMatchObject({ status: 'done' });
  expect((await world.queue(user))?.sessions).toHaveLength(1);
});

test('a call that waits ends in time, although the clock is set back by a minute while it waits', async () => {
  await using world = await openWorld();
  const host = settableClock();
  const user = await world.user();
  await world.enqueue(user, 1);
  const { ledger, userQueues } = world.stores;
  let reads = 0;
  const counting: typeof ledger = {
    ...ledger,
    async status(id) {
      reads += 1;
      if (reads === 2) host.set(-minuteMs);
      return ledger.status(id);
    },
  };
  const queue = await world.queue(user);
  const wait = createLongPolls(host.clock, world.config).waitOf({ ...user, waitMs: 500 });
  const startedAt = performance.now();
  const looking = lookUpRequest(queue!, 1, wait, { ledger: counting, userQueues });
  expect(await looking).toMatchObject({ entry: { status: 'queued' } });
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

test('a user that waits for a ticket without a record waits for GAP_TIMEOUT_MS, wherever the clock is set meanwhile', async () => {
  await using world = await openWorld({ gapTimeoutMs: 1_000 });
  const host = settableClock();
  world.work(quickRuns().runRequest, { hostClock: host.clock });
  const user = await world.user();
  await world.stores.userQueues.takeTicket(user.userId, user.sessionId, new Date());
  await world.enqueue(user, 2);
  host.set(-minuteMs);
  expect(await world.settled(user, 2, 8_000)).toMatchObject({ status: 'done' });
});
