import { describe, expect, jest, test } from '@jest/globals';
import { type Processor, RetryAfterError } from '../../lib/processor.ts';
import { createTestLogger, createTestQueue } from '../../lib/testing.ts';

const failing =
  (times: number): Processor =>
  (_request, { attempt }) => {
    if (attempt <= times) throw new Error(`attempt ${attempt}`);
    return attempt;
  };

/** Runs that the test ends by hand. */
const held = () => {
  const ends: (() => void)[] = [];
  const processor: Processor = () => new Promise<void>((resolve) => ends.push(resolve));
  return { ends, processor };
};

const dayMs = 86_400_000;

describe('the time of a test queue', () => {
  test('stands still while requests run, so that a test can look at a back-off', async () => {
    const startAt = new Date('2026-01-01T00:00:00Z');
    const queue = createTestQueue(failing(1), { policy: { retryBaseMs: 1_000, retryMaxMs: 1_000 }, startAt });
    await queue.enqueue('ada', 'one');
    await queue.idle();
    expect(queue.request('ada', 1)).toMatchObject({
      status: 'processing',
      attempts: 1,
      error: { message: 'attempt 1' },
    });
    expect(queue.request('ada', 1).retryAt).toEqual(new Date('2026-01-01T00:00:01Z'));
    expect(queue.now()).toEqual(startAt);
  });

  test('ends a back-off to the millisecond', async () => {
    const queue = createTestQueue(failing(1), { policy: { retryBaseMs: 1_000, retryMaxMs: 1_000 } });
    await queue.enqueue('ada', 'one');
    await queue.idle();
    await queue.advance(999);
    expect(queue.request('ada', 1).attempts).toBe(1);
    await queue.advance(1);
    expect(queue.request('ada', 1)).toMatchObject({ status: 'done', attempts: 2 });
  });

  test('passes as far as a result needs, be it a day', async () => {
    const later: Processor = (_request, { attempt }) => {
      if (attempt === 1) throw new RetryAfterError('tomorrow', { retryAfterMs: dayMs });
      return 'today';
    };
    const queue = createTestQueue(later);
    const startedAt = queue.now().getTime();
    await queue.enqueue('ada', 'one');
    expect(await queue.result('ada', 1)).toMatchObject({ status: 'done', result: 'today' });
    expect(queue.now().getTime() - startedAt).toBe(dayMs);
  });

  test('doubles the bound of the pause after each attempt', async () => {
    const queue = createTestQueue(failing(3), { policy: { retryBaseMs: 100, retryMaxMs: 500 } });
    await queue.enqueue('ada', 'one');
    await queue.result('ada', 1);
    const starts = queue.runs.map(({ startedAt }) => startedAt.getTime());
    expect(starts.map((start, index) => start - (starts[index - 1] ?? start))).toEqual([0, 150, 250, 300]);
  });

  test('waits in real time for what a run waits for, also where timers are fake', async () => {
    jest.useFakeTimers();
    try {
      const { ends, processor } = held();
      const queue = createTestQueue(processor);
      await queue.enqueue('ada', 'one');
      await queue.advance(0);
      const result = queue.result('ada', 1);
      ends[0]?.();
      expect(await result).toMatchObject({ status: 'done', result: null });
    } finally {
      jest.useRealTimers();
    }
  });

  test('brings a run to its deadline', async () => {
    const untilAborted: Processor = (_request, { signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const queue = createTestQueue(untilAborted, { policy: { timeoutMs: 30_000, maxAttempts: 1 } });
    await queue.enqueue('ada', 'one');
    await queue.advance(29_999);
    expect(queue.request('ada', 1).status).toBe('processing');
    await queue.advance(1);
    expect(await queue.result('ada', 1)).toMatchObject({ status: 'failed', error: { name: 'RunTimeoutError' } });
  });
});

describe('the runs of a test queue', () => {
  test('are one at a time for each user, and as many users as the concurrency allows', async () => {
    const { ends, processor } = held();
    const queue = createTestQueue(processor, { concurrency: 2 });
    for (const user of ['ada', 'bob', 'cy']) for (const request of [1, 2]) await queue.enqueue(user, request);
    await queue.advance(0);
    expect(queue.runs.map(({ user, seq }) => `${user} ${seq}`)).toEqual(['ada 1', 'bob 1']);
    ends[0]?.();
    await queue.advance(0);
    expect(queue.runs.map(({ user, seq }) => `${user} ${seq}`)).toEqual(['ada 1', 'bob 1', 'cy 1']);
  });

  test('are interrupted when the worker loses its users, and repeated with a higher fencing token', async () => {
    const stubborn: Processor = (_request, { attempt, signal }) =>
      attempt > 1 ? 'again' : new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const queue = createTestQueue(stubborn, { policy: { maxAttempts: 1 } });
    await queue.enqueue('ada', 'one');
    await queue.advance(0);
    await queue.interrupt();
    expect(await queue.result('ada', 1)).toMatchObject({ status: 'done', attempts: 2, result: 'again' });
    expect(queue.runs).toMatchObject([
      { user: 'ada', seq: 1, attempt: 1, fencingToken: 1, outcome: 'aborted' },
      { user: 'ada', seq: 1, attempt: 2, fencingToken: 2, outcome: 'done' },
    ]);
  });

  test('that must not be done twice become dead letters when they are interrupted', async () => {
    const once: Processor = (_request, { signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const queue = createTestQueue(once, { policy: { onInterruption: 'dead-letter' } });
    await queue.enqueue('ada', 'one');
    await queue.advance(0);
    await queue.interrupt();
    expect(await queue.result('ada', 1)).toMatchObject({ status: 'failed', attempts: 1 });
    expect(await queue.deadLetters()).toMatchObject([{ user: 'ada', deadLetter: { reason: 'interrupted' } }]);
  });

  test('log to the logger of the test', async () => {
    const logger = createTestLogger();
    const queue = createTestQueue((_request, context) => context.logger.info('hello'), { logger });
    await queue.enqueue('ada', 'one');
    await queue.idle();
    expect(logger.lines).toMatchObject([{ level: 'info', message: 'hello' }]);
  });
});

test('a result that waits for a person is an error', async () => {
  const queue = createTestQueue(failing(9), { policy: { maxAttempts: 1, onFailure: 'block' } });
  for (const request of [1, 2]) await queue.enqueue('ada', request);
  await expect(queue.result('ada', 2)).rejects.toThrow('Request 1 is blocked');
});

test('a request that does not exist is an error', async () => {
  const queue = createTestQueue(() => 1);
  expect(() => queue.request('ada', 1)).toThrow('There is no request 1.');
  await expect(queue.result('ada', 1)).rejects.toThrow('There is no request 1.');
});

const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));

test.each([
  ['that is no JSON value', undefined, {}, 'is no JSON value'],
  ['of more than 256 KiB', 'x'.repeat(256 * 1_024), {}, 'RequestTooLargeError'],
  ['that is nested too deep', nested(501), {}, 'nest at most 500 levels'],
  ['with an empty key', 1, { key: '' }, 'options.key'],
  ['with a key that has a comma', 1, { key: 'a,b' }, 'options.key'],
  ['with no attempts', 1, { maxAttempts: 0 }, 'options.maxAttempts'],
])('a request %s is refused, as in production', async (_what, request, options, text) => {
  const queue = createTestQueue(() => 1);
  await expect(queue.enqueue('ada', request, options).catch(String)).resolves.toContain(text);
  expect(() => queue.request('ada', 1)).toThrow('There is no request 1.');
});
