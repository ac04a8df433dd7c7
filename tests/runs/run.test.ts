import { getEventListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { systemClock } from '../../lib/clock.ts';
import { maxResultBytes } from '../../lib/limits.ts';
import { createLogger } from '../../lib/log.ts';
import { type Processor, RetryAfterError, UnrecoverableError } from '../../lib/processor.ts';
import { retryDelayMs } from '../../lib/runs/backoff.ts';
import { outcomeOfError } from '../../lib/runs/outcome.ts';
import type { RunPolicy } from '../../lib/runs/policy.ts';
import { createRunRequest } from '../../lib/runs/run.ts';
import type { Run } from '../../lib/types.ts';
import { testPolicy } from './support/policy.ts';

const log = createLogger('silent');

const clock = { ...systemClock, random: () => 0.5 };

const runOnce = (processor: Processor, run: Partial<Run> = {}, own: Partial<RunPolicy> = {}) =>
  createRunRequest(
    { processor, policy: { ...testPolicy, ...own } },
    { clock, log },
  )({
    userId: 'u1',
    user: 'ada',
    seq: 4,
    body: '{"a":1}',
    attempt: 1,
    fencingToken: 9,
    limits: {},
    forgiven: 0,
    interruptions: 0,
    signal: new AbortController().signal,
    ...run,
  });

const throwing =
  (thrown: unknown): Processor =>
  () => {
    throw thrown;
  };

describe('a run', () => {
  test('passes the parsed request and its context to the processor', async () => {
    const calls: unknown[] = [];
    await runOnce(async (request, { logger, ...context }) => {
      calls.push(request, context, typeof logger.info);
    });
    const context = { userId: 'u1', user: 'ada', seq: 4, attempt: 1, fencingToken: 9, signal: expect.any(AbortSignal) };
    expect(calls).toEqual([{ a: 1 }, context, 'function']);
  });

  test.each([0, 60_000])(
    'gets a signal of its own, and leaves no listener on its lane (timeout %i ms)',
    async (timeoutMs) => {
      const { signal: laneSignal } = new AbortController();
      const signals: AbortSignal[] = [];
      const listeners: number[] = [];
      await runOnce(
        (_request, context) => {
          signals.push(context.signal);
          listeners.push(getEventListeners(laneSignal, 'abort').length);
        },
        { signal: laneSignal },
        { timeoutMs },
      );
      expect(signals).toHaveLength(1);
      expect(signals[0]).not.toBe(laneSignal);
      expect(listeners).toEqual([1]);
      expect(getEventListeners(laneSignal, 'abort')).toHaveLength(0);
    },
  );

  test('is done with the result as JSON text', async () => {
    expect(await runOnce(async (request) => ({ echoed: request }))).toEqual({
      kind: 'done',
      result: '{"echoed":{"a":1}}',
    });
  });

  test('passes JSON text to a processor of ours, and records its text unchanged', async () => {
    const body = '[9007199254740993, 1e400, 1.0, -0]';
    const runText = createRunRequest({ textProcessor: (text) => text, policy: testPolicy }, { clock, log });
    const about = { userId: 'u1', user: 'ada', seq: 4, attempt: 1, fencingToken: 9 };
    const run = { ...about, body, limits: {}, forgiven: 0, interruptions: 0 };
    const { signal } = new AbortController();
    expect(await runText({ ...run, signal })).toEqual({ kind: 'done', result: body });
    const tooLarge = JSON.stringify('x'.repeat(maxResultBytes));
    expect(await runText({ ...run, signal, body: tooLarge })).toMatchObject({ kind: 'failed' });
    expect(await runText({ ...run, signal, body: '{' })).toMatchObject({ error: { name: 'BadRequestError' } });
  });

  test('keeps the digits of a result that holds JSON.rawJSON', async () => {
    const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
    const result = { id: rawJSON('9007199254740993') };
    expect(await runOnce(() => result)).toEqual({ kind: 'done', result: '{"id":9007199254740993}' });
  });

  test('is done with null when the processor returns nothing', async () => {
    expect(await runOnce(() => undefined)).toEqual({ kind: 'done', result: 'null' });
  });

  const circular: Record<string, unknown> = {};
  circular.self = circular;
  test.each([
    ['a BigInt', 1n],
    ['a circle', circular],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a toJSON that throws', { toJSON: throwing(new Error('no')) }],
  ])('fails at once when the result is %s', async (_name, result) => {
    const outcome = await runOnce(() => result);
    expect(outcome).toMatchObject({ kind: 'failed', error: { name: 'BadResultError' } });
  });

  test('records a result of 256 KiB, and fails at once when it is larger', async () => {
    expect(await runOnce(() => 'x'.repeat(maxResultBytes - 2))).toMatchObject({ kind: 'done' });
    expect(await runOnce(() => 'é'.repeat(maxResultBytes / 2 - 1))).toMatchObject({ kind: 'done' });
    expect(await runOnce(() => 'x'.repeat(maxResultBytes - 1))).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining('262145 bytes') },
    });
  });

  test('is retried after a back-off when the processor throws or rejects', async () => {
    const expected = { kind: 'retry', error: { name: 'TypeError', message: 'no' }, delayMs: 150 };
    expect(await runOnce(throwing(new TypeError('no')))).toEqual(expected);
    expect(await runOnce(() => Promise.reject(new TypeError('no')))).toEqual(expected);
  });

  test('fails at the last attempt, and after it', async () => {
    expect(await runOnce(throwing(new Error('no')), { attempt: 2 })).toMatchObject({ kind: 'retry' });
    for (const attempt of [3, 4]) {
      expect(await runOnce(throwing(new Error('no')), { attempt })).toEqual({
        kind: 'failed',
        error: { name: 'Error', message: 'no' },
        reason: 'failed',
      });
    }
  });

  test('fails at once after an UnrecoverableError, also from another copy of the class', async () => {
    const copy = Object.assign(new Error('never'), { name: 'UnrecoverableError' });
    for (const error of [new UnrecoverableError('never'), copy]) {
      expect(await runOnce(throwing(error))).toEqual({
        kind: 'failed',
        error: { name: 'UnrecoverableError', message: 'never', exposed: true },
        reason: 'failed',
      });
    }
  });

  test('clips the message of an error and keeps no stack', async () => {
    const error = Object.assign(new Error('m'.repeat(5_000)), { name: 'N'.repeat(5_000) });
    const outcome = await runOnce(throwing(error));
    if (outcome.kind !== 'retry') throw new Error(`not a retry: ${outcome.kind}`);
    expect(outcome.error.message).toHaveLength(1_000);
    expect(outcome.error.name).toHaveLength(100);
    expect(Object.keys(outcome.error)).toEqual(['name', 'message']);
  });

  const hostile = {
    get name() {
      throw new Error('name');
    },
    get message() {
      throw new Error('message');
    },
    [Symbol.toPrimitive]: throwing(new Error('primitive')),
  };
  test.each([
    ['a text', 'plain', 'plain'],
    ['a number', 7, '7'],
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['an object whose getters throw', hostile, '{ name: [getter], message: [getter] }'],
    ['an object', { code: 3, why: { text: 'no' } }, '{ code: 3, why: { text: "no" } }'],
  ])('never rejects, even when the processor throws %s', async (_name, thrown, message) => {
    expect(await runOnce(throwing(thrown))).toMatchObject({ kind: 'retry', error: { name: 'Error', message } });
  });

  test('fails at once when the recorded request is not JSON', async () => {
    expect(await runOnce(() => 1, { body: '{' })).toMatchObject({ kind: 'failed', error: { name: 'BadRequestError' } });
  });

  test('is retried after the retryAfterMs of the error, also beyond RETRY_MAX_MS', () => {
    const delay = (retryAfterMs: unknown) =>
      outcomeOfError(Object.assign(new Error('later'), { retryAfterMs }), 1, testPolicy, 0);
    const retryAfter = new RetryAfterError('later', { retryAfterMs: 700, cause: 'busy' });
    expect(retryAfter).toMatchObject({ name: 'RetryAfterError', message: 'later', cause: 'busy' });
    expect(outcomeOfError(retryAfter, 1, testPolicy, 0)).toMatchObject({ kind: 'retry', delayMs: 700 });
    expect(outcomeOfError(retryAfter, 3, testPolicy, 0)).toMatchObject({ kind: 'failed' });
    expect(delay(700)).toMatchObject({ delayMs: 700 });
    expect(delay(5_000)).toEqual({ kind: 'retry', error: { name: 'Error', message: 'later' }, delayMs: 5_000 });
    expect(delay(86_400_000)).toMatchObject({ delayMs: 86_400_000, error: { message: 'later' } });
    for (const nonsense of [-1, 0, Number.NaN, 'soon']) expect(delay(nonsense)).toMatchObject({ delayMs: 100 });
  });
});

describe('a run that asks for a pause beyond RETRY_AFTER_MAX_MS', () => {
  const asking = (retryAfterMs: number, message = 'later', limits = {}) =>
    outcomeOfError(
      new RetryAfterError(message, { retryAfterMs }),
      1,
      { ...testPolicy, retryAfterMaxMs: 5_000, ...limits },
      0,
    );

  test.each([5_001, 6_000.5, 1e15, Number.POSITIVE_INFINITY])(
    'is retried after RETRY_AFTER_MAX_MS, and its error says both numbers (%p ms)',
    (askedMs) => {
      const message = `later (asked for a pause of ${Math.ceil(askedMs)} ms; RETRY_AFTER_MAX_MS allows 5000 ms)`;
      expect(asking(askedMs)).toEqual({
        kind: 'retry',
        error: { name: 'RetryAfterError', message, exposed: true },
        delayMs: 5_000,
      });
    },
  );

  test('says so also when its own message fills the limit', () => {
    const outcome = asking(6_000, 'x'.repeat(5_000));
    const message = outcome.kind === 'retry' ? outcome.error.message : '';
    expect(message).toHaveLength(1_000);
    expect(message).toMatch(/x… \(asked for a pause of 6000 ms; RETRY_AFTER_MAX_MS allows 5000 ms\)$/);
  });

  test('says nothing when the back-off is as long as what it asked for', () => {
    const long = { retryBaseMs: 8_000, retryMaxMs: 8_000 };
    expect(asking(8_000, 'later', long)).toMatchObject({ error: { message: 'later' }, delayMs: 8_000 });
  });
});

describe('the policy of a run', () => {
  const failing = throwing(new Error('no'));

  test('takes the number of attempts from the request before the processor', async () => {
    expect(await runOnce(failing, { limits: { maxAttempts: 1 } })).toMatchObject({ kind: 'failed' });
    expect(await runOnce(failing, { attempt: 3, limits: { maxAttempts: 4 } })).toMatchObject({ kind: 'retry' });
  });

  test("never goes beyond the operator's ceilings, although the request was accepted under higher ones", async () => {
    const ceilings = { timeoutMs: 30, maxAttempts: 2 };
    const limits = { timeoutMs: 60_000, maxAttempts: 9 };
    const hanging: Processor = (_request, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    expect(await runOnce(hanging, { attempt: 2, limits }, { ceilings })).toMatchObject({
      kind: 'failed',
      error: { message: 'The run took longer than 30 ms' },
    });
  });

  test('does not count attempts before a retry by a person, nor lengthen the pause for them', async () => {
    expect(await runOnce(failing, { attempt: 5, forgiven: 4 })).toMatchObject({ kind: 'retry', delayMs: 150 });
    expect(await runOnce(failing, { attempt: 7, forgiven: 4 })).toMatchObject({ kind: 'failed' });
  });

  test('with block, a failed request holds its user, whatever the error', async () => {
    const block = { onFailure: 'block' } as const;
    for (const outcome of [
      await runOnce(failing, { attempt: 3 }, block),
      await runOnce(throwing(new UnrecoverableError('never')), {}, block),
      await runOnce(() => 1n, {}, block),
      await runOnce(() => 1, { body: '{' }, block),
    ]) {
      expect(outcome).toMatchObject({ kind: 'blocked', reason: 'failed' });
    }
    expect(await runOnce(failing, { attempt: 2 }, block)).toMatchObject({ kind: 'retry' });
  });
});

describe("a run's deadline", () => {
  const timedOut = { name: 'RunTimeoutError', message: 'The run took longer than 30 ms' };
  /** Throws the reason of its signal when that aborts. */
  const obedient: Processor = (_request, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

  test('aborts the signal, and the request is retried', async () => {
    expect(await runOnce(obedient, {}, { timeoutMs: 30 })).toMatchObject({ kind: 'retry', error: timedOut });
  });

  test('dead-letters the request at the last attempt', async () => {
    expect(await runOnce(obedient, { attempt: 3 }, { timeoutMs: 30 })).toMatchObject({
      kind: 'failed',
      error: timedOut,
    });
  });

  test('comes from the request before the policy', async () => {
    const limits = { timeoutMs: 30 };
    expect(await runOnce(obedient, { limits }, { timeoutMs: 60_000 })).toMatchObject({
      kind: 'retry',
      error: timedOut,
    });
  });

  test('waits for a processor that ignores it, and treats what that returns or throws as too late', async () => {
    for (const end of [() => 'late', throwing(new Error('late'))]) {
      const ending = Promise.withResolvers<void>();
      const reasons: unknown[] = [];
      const stubborn: Processor = async (request, context) => {
        context.signal.addEventListener('abort', () => {
          reasons.push(context.signal.reason);
          setImmediate(ending.resolve);
        });
        await ending.promise;
        return end(request, context);
      };
      expect(await runOnce(stubborn, {}, { timeoutMs: 30 })).toMatchObject({ kind: 'retry', error: timedOut });
      expect(reasons).toMatchObject([timedOut]);
    }
  });

  test('does not replace an UnrecoverableError', async () => {
    const giveUp: Processor = (_request, { signal }) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new UnrecoverableError('half done'))),
      );
    expect(await runOnce(giveUp, {}, { timeoutMs: 30 })).toMatchObject({
      kind: 'failed',
      error: { message: 'half done' },
    });
  });

  test('passes on that the lane was lost, which is not a timeout', async () => {
    const lane = new AbortController();
    const running = runOnce(obedient, { signal: lane.signal }, { timeoutMs: 60_000 });
    lane.abort(new Error('lost'));
    expect(await running).toMatchObject({ kind: 'retry', error: { message: 'lost' } });
    expect(await runOnce(() => 'ready', { signal: lane.signal }, { timeoutMs: 60_000 })).toMatchObject({
      kind: 'done',
    });
  });

  test('does not abort a run that has ended', async () => {
    const signals: AbortSignal[] = [];
    await runOnce((_request, { signal }) => void signals.push(signal), {}, { timeoutMs: 10 });
    await setTimeout(30);
    expect(signals.map((signal) => signal.aborted)).toEqual([false]);
  });
});

describe('back-off', () => {
  const limits = fc
    .tuple(fc.integer({ min: 1, max: 3_600_000 }), fc.integer({ min: 1, max: 86_400_000 }))
    .map(([a, b]) => ({ retryBaseMs: Math.min(a, b), retryMaxMs: Math.max(a, b) }));
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  test('stays between RETRY_BASE_MS and RETRY_MAX_MS, for any attempt', () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 1, max: 5_000 }), chance, (bounds, attempt, random) => {
        const delayMs = retryDelayMs(attempt, bounds, random);
        expect(Number.isInteger(delayMs)).toBe(true);
        expect(delayMs).toBeGreaterThanOrEqual(bounds.retryBaseMs);
        expect(delayMs).toBeLessThanOrEqual(bounds.retryMaxMs);
      }),
    );
  });

  test('doubles its bound with every attempt until RETRY_MAX_MS', () => {
    const bounds = { retryBaseMs: 100, retryMaxMs: 1_000 };
    expect([1, 2, 3, 4, 5].map((attempt) => retryDelayMs(attempt, bounds, 0.999_999))).toEqual([
      200, 400, 800, 1_000, 1_000,
    ]);
  });

  test('spreads requests that failed together over the whole range', () => {
    const bounds = { retryBaseMs: 100, retryMaxMs: 10_000 };
    expect(retryDelayMs(3, bounds, 0)).toBe(100);
    expect(retryDelayMs(3, bounds, 0.5)).toBe(450);
  });
});
