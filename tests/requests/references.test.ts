/** Users by reference, on real servers. */
import { expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import { pollUntil } from '../../lib/poll.ts';
import { callerFor, permanentSession } from '../../lib/references.ts';
import { acceptRequest } from '../../lib/requests/accept.ts';
import { disconnect } from '../../lib/requests/disconnect.ts';
import { retryRequest } from '../../lib/requests/retry.ts';
import type { Run } from '../../lib/types.ts';
import { heldRuns, quickRuns } from '../lanes/runs.ts';
import { uniqueName } from '../support/servers.ts';
import { eventually, openWorld, type World } from '../support/world.ts';

/** A user of a back end, with what the back end does for it. */
const referred = (world: World, reference = `auth0|${uniqueName('user')}`) => {
  const caller = callerFor(reference);
  const user = { userId: caller.userId, sessionId: permanentSession.id, lane: -1 };
  return {
    user,
    reference,
    enqueue: (request: unknown, key?: string) =>
      acceptRequest({ ...caller, body: JSON.stringify(request), key }, world.deps),
    retry: (seq: number) => retryRequest({ ...caller, seq }, world.deps),
    disconnect: (pending: 'drain' | 'cancel' = 'drain', waitMs = 0) =>
      disconnect({ ...user, pending, wait: (_what, check) => pollUntil(systemClock, waitMs, check) }, world.deps),
    state: async () => (await world.queue(user))?.state,
  };
};

test('its requests run in order, without an account, and its runs are told the reference', async () => {
  await using world = await openWorld();
  const runs: Run[] = [];
  world.work(async (run) => {
    runs.push(run);
    return { kind: 'done', result: 'null' };
  });
  const ada = referred(world);
  const accepted = await Promise.all([1, 2, 3, 4].map((n) => ada.enqueue(n)));
  expect(accepted.map(({ seq }) => seq).sort()).toEqual([1, 2, 3, 4]);
  await world.settled(ada.user, 4);
  expect(runs.map(({ seq, user, userId }) => [seq, user, userId])).toEqual(
    [1, 2, 3, 4].map((seq) => [seq, ada.reference, ada.user.userId]),
  );
  expect(await ada.enqueue('again', 'k')).toMatchObject({ seq: 5 });
  expect(await ada.enqueue('again', 'k')).toMatchObject({ seq: 5 });
});

test('its queue closes when it is idle or disconnected, and the next request opens it', async () => {
  await using world = await openWorld({ idleTimeoutMs: 150 });
  const { runRequest, seqs } = quickRuns();
  world.work(runRequest);
  const ada = referred(world);
  for (const seq of [1, 2, 3]) {
    await ada.enqueue(seq);
    await world.settled(ada.user, seq);
    if (seq === 2) expect(await ada.disconnect('drain', 5_000)).toBe('closed');
    else await eventually('closed', async () => (await ada.state()) === 'closed');
    expect(await world.userQueueExists(ada.user)).toBe(false);
  }
  expect(seqs(ada.user)).toEqual([1, 2, 3]);
});

test('its back end may cancel what still drains after a disconnect', async () => {
  await using world = await openWorld();
  const { runRequest, running, of } = heldRuns();
  world.work(runRequest);
  const ada = referred(world);
  for (const n of [1, 2, 3]) await ada.enqueue(n);
  const first = await running(ada.user, 1);
  expect(await ada.disconnect('drain')).toBe('draining');
  expect(await ada.disconnect('cancel')).toBe('draining');
  first.end();
  await eventually('closed', async () => (await ada.state()) === 'closed');
  expect(of(ada.user)).toHaveLength(1);
  expect(await world.entry(ada.user, 3)).toMatchObject({ status: 'cancelled' });
  expect(await ada.disconnect('cancel')).toBe('closed');
});

test('requests, disconnects and idle closes at any moment lose no request and leave no queue', async () => {
  await using world = await openWorld({ idleTimeoutMs: 20 });
  const { runRequest, seqs } = quickRuns();
  world.work(runRequest);
  const ada = referred(world);
  for (let round = 0; round < 30; round += 1) {
    await Promise.all([ada.enqueue(round), ada.disconnect(), ada.enqueue(-round)]);
    if (round % 3 === 0) await world.settled(ada.user, 2 * round + 2);
  }
  await world.settled(ada.user, 60);
  await ada.disconnect('drain', 5_000);
  await eventually('closed', async () => (await ada.state()) === 'closed');
  expect(seqs(ada.user)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  expect(await world.userQueueExists(ada.user)).toBe(false);
});

test('a failed request of it is retried without a session', async () => {
  await using world = await openWorld();
  world.work(async ({ body }) =>
    body === '1'
      ? { kind: 'failed', reason: 'failed', error: { name: 'Error', message: 'no' } }
      : { kind: 'done', result: '1' },
  );
  const ada = referred(world);
  await ada.enqueue(1);
  await world.settled(ada.user, 1);
  await ada.disconnect('drain', 5_000);
  expect(await ada.retry(1)).toMatchObject({ kind: 'again', accepted: { seq: 2 } });
  expect(await world.queue(ada.user)).toMatchObject({ sessions: [permanentSession] });
});
