import { expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import { cancelRequest } from '../../lib/requests/cancel.ts';
import { createMemoryStores } from '../simulation/memory-stores.ts';
import { block, claim, giveBack, insertQueued, newUserId } from '../store/store-contract.ts';

/** A user with one queued request. */
const openUser = async () => {
  const stores = createMemoryStores();
  const userId = newUserId();
  await insertQueued(stores, userId, 1);
  const cancel = (seq = 1) => cancelRequest({ userId, seq }, { ledger: stores.ledger, clock: systemClock });
  return { ledger: stores.ledger, guard: { userId, seq: 1, token: 1, attempt: 1 }, cancel };
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
    message: 'Request 1 is processing; only a queued request that has never started can be cancelled.',
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
        'Request 1 has been started before (attempts: 1); only a queued request that has never started can be cancelled.',
    });
    const [entry] = await ledger.read([guard]);
    expect(entry).toMatchObject({ status: 'queued', attempts: 1 });
  },
);

test('a request that does not exist is not found', async () => {
  const { cancel } = await openUser();
  await expect(cancel(2)).rejects.toMatchObject({ status: 404, code: 'request-not-found' });
});
