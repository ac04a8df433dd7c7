import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import { StoreUnavailableError } from '../../lib/errors.ts';
import { openStores, type Stores } from '../../lib/store/stores.ts';
import { asStoreError } from '../../lib/store/unavailable.ts';
import { mongodbUrl, uniqueName } from '../support/servers.ts';
import { startProxyTo, type TcpProxy } from '../support/tcp-proxy.ts';
import { everyOperation } from './every-operation.ts';

const storeTimeoutMs = 400;
/** Slack for a busy machine, far below the driver's own timeout of 30 s. */
const slackMs = 1_600;

/** How each operation ended, by its name: the error's name, or `answered`; `late` when it took longer than its timeout. */
const outcomes = async (stores: Stores): Promise<Record<string, string>> => {
  const start = performance.now();
  const ended = Object.entries(everyOperation).map(async ([name, call]) => {
    const outcome = await call(stores).then(
      () => 'answered',
      (error: Error) => error.name,
    );
    return [name, performance.now() - start > storeTimeoutMs + slackMs ? 'late' : outcome];
  });
  return Object.fromEntries(await Promise.all(ended));
};

const all = (outcome: string) => Object.fromEntries(Object.keys(everyOperation).map((name) => [name, outcome]));

/** Repeats an operation until it is answered: the driver looks for the server at intervals, and a busy server is slow. */
const answered = async (stores: Stores, call: (stores: Stores) => Promise<unknown>): Promise<void> => {
  const deadline = performance.now() + 20_000;
  for (;;) {
    try {
      await call(stores);
      return;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || performance.now() > deadline) throw error;
    }
  }
};

const everyOperationIsAnswered = async (stores: Stores): Promise<void> => {
  for (const call of Object.values(everyOperation)) await answered(stores, call);
};

describe('a store whose server does not answer', () => {
  let proxy: TcpProxy;
  let stores: Stores;

  beforeEach(async () => {
    const started = await startProxyTo(mongodbUrl(uniqueName('unavailable')));
    proxy = started;
    stores = openStores({ mongodbUrl: started.url, storeTimeoutMs, autoMigrate: 1 });
  });

  afterEach(async () => {
    try {
      await answered(stores, ({ drop }) => drop());
    } finally {
      await stores.close();
      await proxy.close();
    }
  });

  test('rejects every operation in time when the server was never reached, and answers once it is available', async () => {
    await proxy.cut();
    expect(await outcomes(stores)).toEqual(all('StoreUnavailableError'));
    await proxy.restore();
    await everyOperationIsAnswered(stores);
  });

  test('rejects every operation in time after its connections were cut, and answers once the server is back', async () => {
    await answered(stores, ({ ping }) => ping());
    await proxy.cut();
    expect(await outcomes(stores)).toEqual(all('StoreUnavailableError'));
    await proxy.restore();
    await everyOperationIsAnswered(stores);
  });

  test('rejects every operation in time while the server is frozen, and answers once it is thawed', async () => {
    await answered(stores, ({ ping }) => ping());
    proxy.freeze();
    expect(await outcomes(stores)).toEqual(all('StoreUnavailableError'));
    proxy.thaw();
    await everyOperationIsAnswered(stores);
  });

  test('rejects in time when the server is frozen from the first connection on', async () => {
    proxy.freeze();
    expect(await outcomes(stores)).toEqual(all('StoreUnavailableError'));
    proxy.thaw();
    await everyOperationIsAnswered(stores);
  });

  test('rejects in time also the calls that wait for each other while the server is frozen', async () => {
    await answered(stores, ({ ping }) => ping());
    proxy.freeze();
    const start = performance.now();
    const { userQueues, ledger } = stores;
    // So many that their statements, one after the other, would take ten times as long.
    const calls = Array.from({ length: 2_600 }, (_, seq) => [
      userQueues.takeTicket(`u${seq}`, undefined, new Date()),
      ledger.insert({ userId: 'u', seq, body: '1', acceptedAt: new Date() }),
      ledger.findByKey('u', `${seq}`),
    ]);
    const ends = new Set(
      (await Promise.allSettled(calls.flat())).map((end) => end.status === 'rejected' && end.reason.name),
    );
    expect([...ends]).toEqual(['StoreUnavailableError']);
    expect(performance.now() - start).toBeLessThan(storeTimeoutMs + slackMs);
    proxy.thaw();
  });

  test('retries an operation by itself when the connection is cut during it, or rejects it as unavailable', async () => {
    await answered(stores, ({ ping }) => ping());
    const [leases] = await Promise.all([
      Promise.allSettled(Array.from({ length: 50 }, () => stores.lanes.takeLease(7, 'w', new Date()))),
      proxy.cut().then(proxy.restore),
    ]);
    const rejected = leases.flatMap((lease) => (lease.status === 'rejected' ? [lease.reason.name] : []));
    expect(rejected.filter((name) => name !== 'StoreUnavailableError')).toEqual([]);
    const given = leases.flatMap((lease) => (lease.status === 'fulfilled' ? [lease.value] : []));
    expect(new Set(given).size).toBe(given.length);
    await everyOperationIsAnswered(stores);
  });
});

test('a closed store rejects every operation, and closing it again is harmless', async () => {
  const stores = openStores({ mongodbUrl: mongodbUrl(uniqueName('closed')), storeTimeoutMs: 5_000, autoMigrate: 1 });
  await stores.ping();
  await stores.close();
  await stores.close();
  expect(await outcomes(stores)).toEqual(all('StoreClosedError'));
});

test('many concurrent first operations share one connection and one creation of the indexes', async () => {
  const stores = openStores({ mongodbUrl: mongodbUrl(uniqueName('first')), storeTimeoutMs: 5_000, autoMigrate: 1 });
  const pings = await Promise.allSettled(Array.from({ length: 20 }, () => stores.ping()));
  expect(pings.filter(({ status }) => status === 'rejected')).toEqual([]);
  await stores.drop();
  await stores.accounts.create('ann', 'hash');
  expect(await stores.accounts.create('ANN', 'hash')).toBeUndefined();
  await stores.drop();
  await stores.close();
});

describe('what counts as unavailable', () => {
  const { MongoBulkWriteError, MongoNetworkError, MongoServerError } = mongoose.mongo;
  const writeErrors = [{ code: 14031, index: 0, errmsg: 'OutOfDiskSpace' }] as never;
  const diskFullBulk = new MongoBulkWriteError({ message: 'x', code: 14031, writeErrors }, {
    insertedCount: 0,
  } as never);
  test.each([
    ['a lost connection', new MongoNetworkError('connection 1 closed')],
    ['a server that is no longer primary', new MongoServerError({ message: 'not primary', code: 10107 })],
    ['a timeout on the server', new MongoServerError({ message: 'too late', code: 50 })],
    ['a full disk', new MongoServerError({ message: 'OutOfDiskSpace', code: 14031 })],
    ['a quota that is used up', new MongoServerError({ message: 'over your space quota', code: 8000 })],
    ['throttling', new MongoServerError({ message: 'Request rate is large', code: 16500 })],
    ['writes that a person blocked', new MongoServerError({ message: 'UserWritesBlocked', code: 371 })],
    ['a login that ended', new MongoServerError({ message: 'ReauthenticationRequired', code: 391 })],
    ['an overloaded server', new MongoServerError({ message: 'x', errorLabels: ['SystemOverloadedError'] })],
    ['a bulk that a full disk refused', diskFullBulk],
  ])('%s does', (_name, error) => {
    const translated = asStoreError(error);
    expect(translated).toBeInstanceOf(StoreUnavailableError);
    expect(translated).toMatchObject({ cause: error, retryAfterSeconds: 1, status: 503 });
  });

  test.each([
    ['a duplicate', new MongoServerError({ message: 'E11000', code: 11000 })],
    ['a missing privilege', new MongoServerError({ message: 'not authorized', code: 13 })],
    ['an error of our own', new TypeError('x is not a function')],
  ])('%s does not, and is returned unchanged', (_name, error) => {
    expect(asStoreError(error)).toBe(error);
  });
});
