import { expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import type { Publisher } from '../../lib/ports.ts';
import { cancelRequest } from '../../lib/requests/cancel.ts';
import { createMemoryStores } from '../../lib/testing/memory-stores.ts';
import { block, claim, giveBack, insertQueued, newUserId, retry } from '../store/store-contract.ts';

/** A user with one queued request. */
const openUser = async () => {
  const stores = createMemoryStores();
  const userId = newUserId();
  await insertQueued(stores, userId, 1);
  await stores.userQueues.create(userId, 3, new Date());
  const woken: number[] = [];
  const publisher: Publisher = {
    publishRequest: async () => 'routed',
    publishBaton: async () => 'routed',
    publishWake: async (lane: number) => {
      woken.push(lane);
      return 'routed';
    },
  };
  const deps = { ...stores, publisher, clock: systemClock, log: createLogger('silent'), config: { lanes: 4 } };
  const cancel = (seq = 1) => cancelRequest({ userId, seq }, deps);
  return { ledger: stores.ledger, guard: { userId, seq: 1, token: 1, attempt: 1 }, cancel, woken };
};

test('a request that has not started is cancelled, and cancelling it again is harmless', async () => {
  const { cancel } = await openUser();
  expect(await cancel()).toMatchObject({ status: 'cancelled' });
  expect(await cancel()).toMatchObject({ status: 'cancelled' });
});

test('a request that is running is refused with its status', async () => {
  const { ledger, guard, cancel } = await openUser();
  await ledger.commit([claim(guard)]);
  await expect(cancel()).rejects.toMatchObject({
    status: 409,
    code: 'not-cancellable',
    message:
      'Request 1 is processing; only a request that has never started, or that waits for its next attempt, can be cancelled.',
  });
});

test.each(['aborted and given back', 'unblocked'])(
  'a request that was %s is refused, because it has run',
  async (how) => {
    const { ledger, guard, cancel } = await openUser();
    await ledger.commit([claim(guard)]);
    await ledger.commit([how === 'unblocked' ? block(guard) : giveBack(guard)]);
    if (how === 'unblocked') await ledger.unblock({ ...guard, attempts: 1 });
    await expect(cancel()).rejects.toMatchObject({
      status: 409,
      code: 'not-cancellable',
      message:
        'Request 1 has been started before (attempts: 1); only a request that has never started, or that waits for its next attempt, can be cancelled.',
    });
    const [entry] = await ledger.read([guard]);
    expect(entry).toMatchObject({ status: 'queued', attempts: 1 });
  },
);

test('a request in its back-off is cancelled with its attempts and its error, and each call wakes the owner', async () => {
  const { ledger, guard, cancel, woken } = await openUser();
  await ledger.commit([claim(guard)]);
  await ledger.commit([retry(guard)]);
  const cancelled = { status: 'cancelled', attempts: 1, error: { message: 'not yet' } };
  expect(await cancel()).toMatchObject(cancelled);
  expect(woken).toEqual([3]);
  // The first call may have died before its wake.
  expect(await cancel()).toMatchObject(cancelled);
  expect(woken).toEqual([3, 3]);
});

test('a request that has never started is cancelled without a wake: nobody waits for it', async () => {
  const { cancel, woken } = await openUser();
  await cancel();
  expect(woken).toEqual([]);
});

test('a request that does not exist is not found', async () => {
  const { cancel } = await openUser();
  await expect(cancel(2)).rejects.toMatchObject({ status: 404, code: 'request-not-found' });
});
