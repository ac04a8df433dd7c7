import { expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import { createLongPolls } from '../../lib/long-polls.ts';
import { lookUpRequest } from '../../lib/requests/look-up.ts';
import { createMemoryStores } from '../../lib/testing/memory-stores.ts';
import { claim, done } from '../store/store-contract.ts';
import { testConfig } from '../support/servers.ts';
import { eventually } from '../support/world.ts';

const userId = 'user';
const guard = { userId, seq: 1, token: 1, attempt: 1 };

/** One user with one queued request, in stores that record the operations. */
const openStores = async () => {
  const asked: string[] = [];
  const { userQueues, ledger } = createMemoryStores(async (what, operate) => {
    asked.push(what.split(' ')[0]!);
    return operate();
  });
  await userQueues.create(userId, 1, new Date());
  await ledger.insert({ userId, seq: 1, body: '1', acceptedAt: new Date() });
  const [queue] = await userQueues.get([userId]);
  asked.length = 0;
  const longPolls = createLongPolls(systemClock, testConfig());
  const lookUp = (waitMs: number, seq = 1, signal?: AbortSignal) => {
    const wait = longPolls.waitOf({ userId, sessionId: 'session', waitMs, signal });
    return lookUpRequest(queue!, seq, waitMs > 0 ? wait : undefined, { userQueues, ledger });
  };
  return { lookUp, ledger, asked };
};

test('while a call waits for a request it reads the status only, and the whole entry once at the end', async () => {
  const { lookUp, ledger, asked } = await openStores();
  const looking = lookUp(20_000);
  await eventually('it waits', () => asked.filter((what) => what === 'ledger.status').length > 3);
  expect(asked).not.toContain('ledger.read');
  await ledger.commit([claim(guard)]);
  await ledger.commit([done(guard, '"found"')]);
  expect(await looking).toMatchObject({ entry: { status: 'done', result: '"found"' } });
  expect(asked.filter((what) => what === 'ledger.read')).toHaveLength(1);
});

test('a call that does not wait reads the entry once, and no separate status', async () => {
  const { lookUp, asked } = await openStores();
  expect(await lookUp(0)).toMatchObject({ entry: { status: 'queued' }, settled: 0 });
  expect(asked.toSorted()).toEqual(['ledger.read', 'userQueues.get']);
});

test('a call does not wait for a request that does not exist', async () => {
  const { lookUp } = await openStores();
  await expect(lookUp(600_000, 2)).rejects.toMatchObject({ status: 404 });
});
