/** The library on real servers: what a back end does for its users, and what operators do. */
import { describe, expect, test } from '@jest/globals';
import {
  createLanekeeper,
  InvalidReferenceError,
  InvalidRequestError,
  type Processor,
  RequestNotFoundError,
  UnrecoverableError,
} from '../../lib/index.ts';
import { eventually } from '../support/world.ts';
import { cleanUp, openLibrary, testOptions } from './open.ts';

const ada = 'auth0|6571';

const processor: Processor = (request, { user, seq }) => {
  if (request === 'fail') throw new UnrecoverableError('no such order');
  return { user, seq, request };
};

describe('a back end', () => {
  test('enqueues for a user of its own and gets the result', async () => {
    await using library = await openLibrary();
    const { lk } = library;
    await lk.consume(processor);
    const { seq, position } = await lk.enqueue(ada, { amount: 5 }, { key: 'order-17' });
    expect({ seq, position }).toEqual({ seq: 1, position: 1 });
    expect(await lk.result(ada, seq)).toMatchObject({
      seq: 1,
      status: 'done',
      key: 'order-17',
      attempts: 1,
      result: { user: ada, seq: 1, request: { amount: 5 } },
      resultText: expect.stringContaining('"amount":5'),
      settledAt: expect.any(Date),
    });
    expect(await lk.enqueue(ada, { amount: 5 }, { key: 'order-17' })).toMatchObject({ seq: 1, status: 'done' });
    await expect(lk.enqueue(ada, { amount: 6 }, { key: 'order-17' })).rejects.toMatchObject({
      code: 'idempotency-key-reused',
    });
  });

  test('enqueues several requests with one call, and repeats it without accepting them again', async () => {
    await using library = await openLibrary();
    const { lk } = library;
    const requests = [
      { request: 'pick', key: 'o-1', maxAttempts: 2 },
      { request: null },
      { request: 'pack', key: 'o-2' },
    ];
    const accepted = await lk.enqueueAll(ada, requests);
    expect(accepted).toEqual([1, 2, 3].map((seq) => ({ seq, status: 'queued', position: seq })));
    expect((await lk.enqueueAll(ada, requests)).map(({ seq }) => seq)).toEqual([1, 4, 3]);
    expect(await lk.request(ada, 1)).toMatchObject({ key: 'o-1', maxAttempts: 2 });
  });

  test('lists, cancels, and looks at the queue of a user, known or not', async () => {
    await using library = await openLibrary();
    const { lk } = library;
    for (const n of [1, 2, 3]) await lk.enqueue(ada, n);
    expect(await lk.queue(ada)).toMatchObject({ state: 'open', accepted: 3, pending: 3 });
    expect(await lk.queue('nobody')).toMatchObject({ state: 'closed', accepted: 0, pending: 0 });
    expect(await lk.cancel(ada, 2)).toMatchObject({ status: 'cancelled' });
    const page = await lk.requests(ada, { limit: 2 });
    expect(page).toMatchObject({ requests: [{ seq: 1, position: 1 }, { seq: 2 }], next: 2 });
    expect(await lk.requests(ada, { after: page.next, limit: 2 })).toEqual({
      requests: [expect.objectContaining({ seq: 3 })],
    });
    expect(await lk.requests('nobody')).toEqual({ requests: [] });
    await expect(lk.request(ada, 9)).rejects.toBeInstanceOf(RequestNotFoundError);
  });

  test('waits as long as it says, and no longer than its signal', async () => {
    await using library = await openLibrary();
    const { lk } = library;
    const { seq } = await lk.enqueue(ada, 1);
    expect(await lk.result(ada, seq, { waitMs: 20 })).toMatchObject({ status: 'queued' });
    const leaving = new AbortController();
    const waiting = lk.result(ada, seq, { waitMs: 60_000, signal: leaving.signal });
    leaving.abort(new Error('the caller left'));
    await expect(waiting).rejects.toThrow('the caller left');
  });

  test('disconnects a user, and its next request opens the queue again', async () => {
    await using library = await openLibrary();
    const { lk } = library;
    await lk.consume(processor);
    await lk.enqueue(ada, 1);
    expect(await lk.disconnect(ada, { waitMs: 20_000 })).toBe('closed');
    const { seq } = await lk.enqueue(ada, 2);
    expect(await lk.result(ada, seq)).toMatchObject({ seq: 2, status: 'done' });
    expect(await lk.disconnect('nobody')).toBe('closed');
  });

  test('retries, skips and drops as a user and as an operator', async () => {
    await using library = await openLibrary({ failurePolicy: 'block' });
    const { lk } = library;
    await lk.consume(processor);
    await lk.enqueue(ada, 'fail');
    const second = await lk.enqueue(ada, 'then');
    expect(await lk.result(ada, 1)).toMatchObject({
      status: 'blocked',
      error: { name: 'UnrecoverableError', message: 'no such order' },
      deadLetter: { reason: 'failed' },
    });
    const [stuck] = await eventually('ada is stuck', async () => {
      const found = await lk.stuck();
      return found.length > 0 && found;
    });
    expect(stuck).toMatchObject({ user: ada, reason: 'blocked', seq: 1 });
    await eventually('the overview says so', async () =>
      (await lk.overview()).problems.some(({ code, count }) => code === 'blocked-users' && count === 1),
    );
    expect(await lk.retry(ada, 1)).toMatchObject({ seq: 1 });
    await eventually('blocked again', async () => (await lk.request(ada, 1)).status === 'blocked');
    expect(await lk.skip(ada, 1)).toMatchObject({ status: 'failed' });
    expect(await lk.result(ada, second.seq)).toMatchObject({ status: 'done' });
    expect(await lk.deadLetters.list()).toMatchObject({ deadLetters: [{ user: ada, seq: 1, request: 'fail' }] });
    expect(await lk.retry(ada, 1)).toMatchObject({ seq: 3, retryOf: 1 });
    await lk.result(ada, 3);
    expect(await lk.deadLetters.drop({ items: [{ user: ada, seq: 3 }] })).toMatchObject({
      decided: 1,
      results: [{ seq: 3, result: 'dropped' }],
    });
    expect(await lk.deadLetters.retry({ all: true })).toMatchObject({ decided: 0, refused: 0 });
    await expect(lk.deadLetters.list({ user: 'nobody' })).rejects.toMatchObject({ code: 'no-such-user' });
  });

  test('ends a run that does not end', async () => {
    await using library = await openLibrary({ graceMs: 50 });
    const { lk } = library;
    const begun = Promise.withResolvers<void>();
    await lk.consume(
      (_request, { signal }) =>
        new Promise((_resolve, reject) => {
          begun.resolve();
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    );
    const { seq } = await lk.enqueue(ada, 1);
    await begun.promise;
    expect(await lk.end(ada, seq, { waitMs: 20_000 })).toMatchObject({ deadLetter: { reason: 'ended' } });
  });
});

describe('the library refuses', () => {
  test('references, requests and options that are wrong, each with its code', async () => {
    await using library = await openLibrary();
    const { lk } = library;
    await expect(lk.enqueue('', 1)).rejects.toBeInstanceOf(InvalidReferenceError);
    await expect(lk.enqueue(ada, undefined)).rejects.toBeInstanceOf(InvalidRequestError);
    await expect(lk.enqueue(ada, 10n)).rejects.toMatchObject({ code: 'invalid-request' });
    await expect(lk.enqueue(ada, 'x'.repeat(300_000))).rejects.toMatchObject({ code: 'request-too-large' });
    await expect(lk.enqueue(ada, 1, { key: 'ä' })).rejects.toThrow('options.key');
    await expect(lk.enqueue(ada, 1, { timeoutMs: 1e9 })).rejects.toThrow('at most 900000');
    await expect(lk.enqueueAll(ada, [])).rejects.toThrow('requests: must have 1 to 100 items');
    await expect(lk.enqueueAll(ada, 'all' as never)).rejects.toThrow('requests: ');
    await expect(lk.enqueueAll(ada, [{ request: 1 }, { request: 10n }])).rejects.toThrow('requests.1.request: ');
    await expect(lk.enqueueAll(ada, [{ request: 1, keys: 'k' } as never])).rejects.toThrow('requests.0: ');
    const twice = [
      { request: 1, key: 'k' },
      { request: 2, key: 'k' },
    ];
    await expect(lk.enqueueAll(ada, twice)).rejects.toThrow('requests.1.key: is that of requests.0 too');
    const large = Array.from({ length: 2 }, () => ({ request: 'x'.repeat(150_000) }));
    await expect(lk.enqueueAll(ada, large)).rejects.toMatchObject({ code: 'request-too-large' });
    await expect(lk.request(ada, 0)).rejects.toThrow('seq');
    await expect(lk.result(ada, 1, { waitMs: -1 })).rejects.toThrow('options.waitMs');
    await expect(lk.deadLetters.list({ after: 'x' })).rejects.toThrow('options.after');
  });

  test('a selection that does not say whose dead letters it means', async () => {
    await using library = await openLibrary();
    const { lk } = library;
    const selections = [{}, { all: false }, { usr: ada }, { user: undefined }, { items: [] }, { all: true, user: ada }];
    for (const wrong of selections) {
      await expect(lk.deadLetters.drop(wrong as never)).rejects.toBeInstanceOf(InvalidRequestError);
      await expect(lk.deadLetters.retry(wrong as never)).rejects.toBeInstanceOf(InvalidRequestError);
    }
    await expect(lk.deadLetters.drop({ items: Array(101).fill({ user: ada, seq: 1 }) })).rejects.toThrow('items');
    await expect(lk.end(7 as never, 1)).rejects.toThrow('user');
  });

  test('options that it does not know', async () => {
    await using library = await openLibrary();
    const { lk } = library;
    const wrong = { wait: 5 } as never;
    const calls = [
      lk.enqueue(ada, 1, wrong),
      lk.result(ada, 1, wrong),
      lk.requests(ada, wrong),
      lk.disconnect(ada, wrong),
      lk.end(ada, 1, wrong),
      lk.stuck(wrong),
      lk.deadLetters.list(wrong),
    ];
    const refusals = await Promise.allSettled(calls);
    expect(refusals.map((one) => one.status === 'rejected' && one.reason.message)).toEqual(
      calls.map(() => expect.stringContaining('wait')),
    );
    expect((await lk.queue(ada)).accepted).toBe(0);
  });

  test('settings that are out of range or unknown, by the names of the options', async () => {
    const open = (more: object) => createLanekeeper({ ...testOptions(), ...more });
    await expect(open({ lanes: 0, maxPending: 'many' })).rejects.toThrow(
      'Invalid options:\n  - lanes must be a whole number from 1 to 1024\n  - maxPending must be',
    );
    await expect(open({ mongodbUrl: '' })).rejects.toThrow('mongodbUrl must not be empty');
    const env = { MONGODB_URL_FILE: '/no/such/file' };
    await expect(open({ mongodbUrl: undefined, env })).rejects.toThrow('MONGODB_URL_FILE');
    await expect(open({ mongoUrl: 'x' })).rejects.toThrow('there is no option mongoUrl');
    await expect(open({ retryBaseMs: 100 })).rejects.toThrow('retryMaxMs must be at least retryBaseMs (100)');
  });

  test('to start when MongoDB does not answer, and keeps nothing open', async () => {
    const options = testOptions({ mongodbUrl: 'mongodb://127.0.0.1:1/none', storeTimeoutMs: 200 });
    await expect(createLanekeeper(options)).rejects.toMatchObject({ code: 'store-unavailable' });
  });

  test('a consumer that starts while it closes, or later', async () => {
    await using library = await openLibrary();
    const { lk } = library;
    const starting = lk.consume(processor);
    await lk.close();
    await expect(starting).rejects.toMatchObject({ code: 'store-unavailable' });
    await expect(lk.consume(processor)).rejects.toMatchObject({ code: 'store-unavailable' });
  });

  test('every call after it was closed', async () => {
    const options = testOptions();
    const lk = await createLanekeeper(options);
    await lk.close();
    await lk.close();
    await expect(lk.enqueue(ada, 1)).rejects.toMatchObject({ code: 'store-unavailable' });
    await cleanUp(options);
  });
});

test('an environment is read only when it is passed, and options win over it', async () => {
  const { mongodbUrl, queuePrefix, ...options } = testOptions();
  const env = { MONGODB_URL: mongodbUrl, QUEUE_PREFIX: queuePrefix, MAX_PENDING: '1', LANES: '9999' };
  await using lk = await createLanekeeper({ ...options, env });
  await lk.enqueue(ada, 1);
  await expect(lk.enqueue(ada, 2)).rejects.toMatchObject({ code: 'too-many-pending' });
  await lk.close();
  await cleanUp({ ...options, mongodbUrl, queuePrefix });
});
