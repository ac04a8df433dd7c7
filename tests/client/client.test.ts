/** The same scenarios with the client in memory and with a real API, over each transport. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  ClosedError,
  type ConnectOptions,
  connect,
  type LanekeeperClient,
  type LaneRequest,
  RequestCancelledError,
  RequestFailedError,
} from '../../client/index.ts';
import { createTestClient, type TestProcessor } from '../../client/testing/index.ts';
import { UnrecoverableError } from '../../lib/processor.ts';
import { eventually } from '../support/world.ts';
import { openLanekeeper } from './support/lanekeeper.ts';

jest.setTimeout(60_000);

const processors = new Map<string, TestProcessor>();
let lanekeeper: Awaited<ReturnType<typeof openLanekeeper>>;

beforeAll(async () => {
  lanekeeper = await openLanekeeper((request, { user, seq, attempt }) =>
    processors.get(user)?.(request, { seq, attempt }),
  );
}, 120_000);
afterAll(() => lanekeeper?.[Symbol.asyncDispose]());

const overApi = (options?: ConnectOptions) => async (processor: TestProcessor) => {
  const account = await lanekeeper.account();
  processors.set(account.username, processor);
  return connect(lanekeeper.url, account, options);
};

/** As a host that cannot stream answers. */
const withoutStreams = (request: Request): Promise<Response> => {
  const headers = new Headers(request.headers);
  headers.set('accept', 'application/json');
  return fetch(new Request(request, { headers }));
};

const drivers: [name: string, open: (processor: TestProcessor) => Promise<LanekeeperClient>][] = [
  ['in memory', async (processor) => createTestClient(processor)],
  ['over Server-Sent Events', overApi()],
  ['over calls that wait', overApi({ fetch: withoutStreams })],
  ['over a WebSocket', overApi({ transport: 'websocket' })],
];

/** A processor whose runs end when the test says so, by the `seq`. */
const heldRuns = () => {
  const runs = new Map<number, PromiseWithResolvers<unknown>>();
  const runOf = (seq: number): PromiseWithResolvers<unknown> => {
    const run = runs.get(seq) ?? Promise.withResolvers<unknown>();
    runs.set(seq, run);
    return run;
  };
  const processor: TestProcessor = (_request, { seq }) => runOf(seq).promise;
  return { processor, end: (seq: number, result: unknown) => runOf(seq).resolve(result) };
};

const typesOf = async (request: LaneRequest): Promise<string[]> => {
  const types: string[] = [];
  for await (const { type } of request.events()) if (type !== 'position') types.push(type);
  return types;
};

const double: TestProcessor = (request) => (request as number) * 2;

describe.each(drivers)('the client %s', (_name, open) => {
  test('enqueues and returns the result', async () => {
    const lk = await open(double);
    const request = await lk.enqueue<number>(21);
    expect(request).toMatchObject({ seq: 1, accepted: { seq: 1, status: 'queued', position: 1 } });
    expect(await request.result()).toBe(42);
    expect(await request.state()).toMatchObject({ status: 'done', attempts: 1, result: 42 });
    expect(await lk.queue()).toMatchObject({ accepted: 1, settled: 1, pending: 0 });
    lk.close();
  });

  test('accepts many in one call, and their results come in order', async () => {
    const order: unknown[] = [];
    const lk = await open((request) => {
      order.push(request);
      return request;
    });
    const requests = await lk.enqueueMany(['a', 'b', 'c']);
    expect(requests.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(await Promise.all(requests.map((request) => request.result()))).toEqual(['a', 'b', 'c']);
    expect(order).toEqual(['a', 'b', 'c']);
    lk.close();
  });

  test('throws what the ledger has when a request failed', async () => {
    const lk = await open(() => {
      throw new UnrecoverableError('amount is missing');
    });
    const error = await (await lk.enqueue({})).result().catch((error) => error);
    expect(error).toBeInstanceOf(RequestFailedError);
    expect(error).toMatchObject({
      message: 'amount is missing',
      error: { name: 'UnrecoverableError', message: 'amount is missing' },
      request: { seq: 1, status: 'failed' },
    });
    lk.close();
  });

  test('accepts a request with the same key once', async () => {
    const lk = await open(double);
    const first = await lk.enqueue<number>(1, { key: 'one' });
    const second = await lk.enqueue<number>(1, { key: 'one' });
    expect(second.seq).toBe(first.seq);
    expect(await second.result()).toBe(2);
    await expect(lk.enqueue(2, { key: 'one' })).rejects.toMatchObject({ problem: { code: 'idempotency-key-reused' } });
    lk.close();
  });

  test('follows a request from how it is now to its end', async () => {
    const { processor, end } = heldRuns();
    const lk = await open(processor);
    const [first, second] = await lk.enqueueMany(['a', 'b']);
    const isFirstRunning = (async () => {
      for await (const { type } of first!.events()) if (type === 'started') return true;
      return false;
    })();
    expect(await isFirstRunning).toBe(true);
    // It runs already, so it was accepted before.
    const lateTypes = typesOf(lk.request(1));
    const secondTypes = typesOf(second!);
    end(1, 'x');
    end(2, 'y');
    expect((await lateTypes).at(-1)).toBe('settled');
    expect((await secondTypes).at(-1)).toBe('settled');
    expect(await second!.result()).toBe('y');
    lk.close();
  });

  test('tells a slow reader of the end, whatever the queue did meanwhile', async () => {
    const { processor, end } = heldRuns();
    const lk = await open((request, context) => (context.seq > 1 ? request : processor(request, context)));
    const events = (await lk.enqueue('a')).events()[Symbol.asyncIterator]();
    expect((await events.next()).value).toMatchObject({ request: { seq: 1 } });
    end(1, 'x');
    for (const request of await lk.enqueueMany(Array.from({ length: 50 }, (_, number) => number)))
      await request.result();
    let last = (await events.next()).value;
    while (last && last.type !== 'settled') last = (await events.next()).value;
    expect(last).toMatchObject({ type: 'settled', request: { seq: 1, result: 'x' } });
    expect(await events.next()).toEqual({ done: true, value: undefined });
    lk.close();
  });

  test('cancels a request that waits', async () => {
    const { processor, end } = heldRuns();
    const lk = await open(processor);
    const [first, second] = await lk.enqueueMany(['a', 'b']);
    const outcome = second!.result().catch((error) => error);
    expect(await second!.cancel()).toMatchObject({ status: 'cancelled' });
    expect(await outcome).toBeInstanceOf(RequestCancelledError);
    await expect(lk.request(2).result()).rejects.toBeInstanceOf(RequestCancelledError);
    end(1, 'x');
    expect(await first!.result()).toBe('x');
    await expect(first!.cancel()).rejects.toMatchObject({ problem: { code: 'not-cancellable', status: 409 } });
    lk.close();
  });

  test('cancels all requests that wait, and leaves what runs', async () => {
    const { processor, end } = heldRuns();
    const lk = await open(processor);
    const [first] = await lk.enqueueMany(['a', 'b', 'c']);
    for await (const { type } of first!.events()) if (type === 'started') break;
    expect(await lk.cancelAll()).toBe(2);
    end(1, 'x');
    expect(await first!.result()).toBe('x');
    expect((await lk.requests()).requests.map(({ status }) => status)).toEqual(['done', 'cancelled', 'cancelled']);
    expect(await lk.cancelAll()).toBe(0);
    lk.close();
  });

  test('refuses a request that does not exist', async () => {
    const lk = await open(double);
    const missing = { problem: { code: 'request-not-found', status: 404 } };
    await expect(lk.request(7).state()).rejects.toMatchObject(missing);
    await expect(lk.request(7).result()).rejects.toMatchObject(missing);
    lk.close();
  });

  test('replays everything, and goes on behind an event', async () => {
    const lk = await open(double);
    await Promise.all((await lk.enqueueMany([1, 2, 3])).map((request) => request.result()));
    const settled: [number, string][] = [];
    for await (const event of lk.events({ after: '0' })) {
      if (event.type !== 'settled') continue;
      settled.push([event.request.seq, event.id]);
      if (settled.length === 3) break;
    }
    expect(settled.map(([seq]) => seq)).toEqual([1, 2, 3]);
    const seen: number[] = [];
    for await (const event of lk.events({ after: settled[1]?.[1] })) {
      if (event.type !== 'settled') continue;
      seen.push(event.request.seq);
      break;
    }
    expect(seen).toEqual([3]);
    lk.close();
  });

  test('tells how far the queue has come', async () => {
    const { processor, end } = heldRuns();
    const lk = await open(processor);
    const queues = lk.queueEvents()[Symbol.asyncIterator]();
    expect((await queues.next()).value).toMatchObject({ accepted: 0, settled: 0, pending: 0 });
    await lk.enqueueMany(['a', 'b']);
    const until = async (isReached: (queue: { accepted: number; settled: number }) => boolean): Promise<void> => {
      for (;;) {
        const { value, done } = await queues.next();
        if (done) throw new Error('The events have ended.');
        if (isReached(value)) return;
      }
    };
    await until(({ accepted }) => accepted === 2);
    end(1, 'x');
    end(2, 'y');
    await until(({ settled }) => settled === 2);
    lk.close();
  });

  test('ends a wait when its signal aborts, and the request goes on', async () => {
    const { processor, end } = heldRuns();
    const lk = await open(processor);
    const request = await lk.enqueue('a');
    const impatient = new AbortController();
    const waiting = request.result({ signal: impatient.signal });
    impatient.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    end(1, 'x');
    expect(await request.result()).toBe('x');
    lk.close();
  });

  test('lists the requests by page', async () => {
    const lk = await open(double);
    await (await lk.enqueueMany([1, 2, 3])).at(-1)?.result();
    const page = await lk.requests({ limit: 2 });
    expect(page.requests.map(({ result }) => result)).toEqual([2, 4]);
    expect((await lk.requests({ after: page.next })).requests.map(({ seq }) => seq)).toEqual([3]);
    expect((await lk.requests({ status: 'queued' })).requests).toEqual([]);
    lk.close();
  });

  test('ends with the session, and with it whatever waits', async () => {
    const { processor, end } = heldRuns();
    const lk = await open(processor);
    const request = await lk.enqueue('a');
    const waiting = request.result().catch((error) => error);
    await lk.enqueue('b');
    end(1, 'x');
    await request.result();
    expect(await waiting).toBe('x');
    expect(await lk.disconnect({ pending: 'cancel' })).toEqual({ queue: expect.stringMatching(/draining|closed/) });
    await expect(lk.queue()).rejects.toBeInstanceOf(ClosedError);
    await expect(request.result()).rejects.toBeInstanceOf(ClosedError);
    end(2, 'y');
  });
});

test('the client streams where the host can', async () => {
  const types: (string | null)[] = [];
  const noting = async (request: Request): Promise<Response> => {
    const response = await fetch(request);
    if (request.url.includes('/events')) types.push(response.headers.get('content-type'));
    return response;
  };
  const streaming = await overApi({ fetch: noting })(double);
  await (await streaming.enqueue(1)).result();
  expect(types).toEqual(['text/event-stream']);
  streaming.close();
});

test('the queue is there while the WebSocket of the client is, and gone after it', async () => {
  const { username, password } = await lanekeeper.account();
  processors.set(username, double);
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ username, password });
  const login = await fetch(`${lanekeeper.url}/login`, { method: 'POST', headers, body });
  const { token } = (await login.json()) as { token: string };
  const lk = await connect(lanekeeper.url, { token }, { transport: 'websocket' });
  const watcher = await connect(lanekeeper.url, { token });
  expect(await (await lk.enqueue(2)).result()).toBe(4);
  expect(await watcher.queue()).toMatchObject({ state: 'open' });
  lk.close();
  await eventually('the queue is gone', async () => (await watcher.queue()).state === 'closed', 20_000);
  watcher.close();
});
