import { describe, expect, test } from '@jest/globals';
import { type Processor, type ProcessorContext, RetryAfterError, UnrecoverableError } from '../../lib/processor.ts';
import { userIdOf } from '../../lib/references.ts';
import { createTestLogger, runProcessor } from '../../lib/testing.ts';

const throwing =
  (error: unknown): Processor =>
  () => {
    throw error;
  };

/** Returns when its signal aborts. */
const untilAborted: Processor = (_request, { signal }) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

describe('runProcessor', () => {
  test('returns what a client would see of the result', async () => {
    const outcome = await runProcessor(() => ({ at: new Date(0), none: undefined }), {});
    expect(outcome).toEqual({ status: 'done', result: { at: '1970-01-01T00:00:00.000Z' } });
    expect(await runProcessor(() => undefined, {})).toEqual({ status: 'done', result: null });
  });

  test('tells the processor of the first run of a first request, unless the test says otherwise', async () => {
    const seen: ProcessorContext[] = [];
    const processor: Processor = (_request, context) => void seen.push(context);
    await runProcessor(processor, 1);
    const trace = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
    await runProcessor(processor, 1, { user: 'ada', userId: 'a1', seq: 7, attempt: 2, fencingToken: 9, trace });
    const about = seen.map(({ signal, logger, ...rest }) => rest);
    expect(about).toEqual([
      { user: 'test-user', userId: userIdOf('test-user'), seq: 1, attempt: 1, fencingToken: 1 },
      { user: 'ada', userId: 'a1', seq: 7, attempt: 2, fencingToken: 9, trace },
    ]);
  });

  test('gives the processor a copy of the request, as JSON keeps it', async () => {
    const request = { when: new Date(0), list: [1] };
    const outcome = await runProcessor((given) => {
      (given as typeof request).list.push(2);
      return given;
    }, request);
    expect(outcome).toEqual({ status: 'done', result: { when: '1970-01-01T00:00:00.000Z', list: [1, 2] } });
    expect(request.list).toEqual([1]);
    await expect(runProcessor(() => 1, undefined)).rejects.toThrow('The request must be JSON; it is of type undefined');
  });

  test('refuses a result that could not be recorded, without another attempt', async () => {
    const large = await runProcessor(() => 'x'.repeat(300_000), {});
    expect(large).toMatchObject({ status: 'failed', error: { name: 'BadResultError' }, deadLetter: { blocks: false } });
    expect(large).toMatchObject({ error: { message: expect.stringContaining('300002 bytes of JSON') } });
    const notJson = await runProcessor(() => 1n, {});
    expect(notJson).toMatchObject({ error: { name: 'BadResultError', message: 'The result is not JSON' } });
  });

  test('says when a failed run is repeated, by the policy', async () => {
    const thrown = new Error('no luck');
    const policy = { maxAttempts: 2, retryBaseMs: 300 };
    const first = await runProcessor(throwing(thrown), {}, { policy });
    expect(first).toEqual({
      status: 'failed',
      error: { name: 'Error', message: 'no luck', thrown },
      retry: { delayMs: 300 },
    });
    const last = await runProcessor(throwing(thrown), {}, { policy: { ...policy, onFailure: 'block' }, attempt: 2 });
    expect(last).toMatchObject({ status: 'failed', deadLetter: { reason: 'failed', blocks: true } });
  });

  test('knows the errors that end a request or ask for a pause', async () => {
    const never = await runProcessor(throwing(new UnrecoverableError('never')), {});
    expect(never).toMatchObject({ error: { exposed: true }, deadLetter: { reason: 'failed', blocks: false } });
    const later = await runProcessor(throwing(new RetryAfterError('later', { retryAfterMs: 12_345 })), {});
    expect(later).toMatchObject({ error: { name: 'RetryAfterError' }, retry: { delayMs: 12_345 } });
    const capped = await runProcessor(
      throwing({ message: 'later', retryAfterMs: 9_000 }),
      {},
      {
        policy: { retryAfterMaxMs: 8_000 },
      },
    );
    expect(capped).toMatchObject({ retry: { delayMs: 8_000 } });
  });

  test('aborts the signal at the deadline, and the attempt has failed', async () => {
    const outcome = await runProcessor(untilAborted, {}, { policy: { timeoutMs: 20 } });
    expect(outcome).toMatchObject({ error: { name: 'RunTimeoutError' }, retry: { delayMs: 200 } });
  });

  test('records nothing of a run that fails after its worker had to stop', async () => {
    const stopping = new AbortController();
    const running = runProcessor(untilAborted, {}, { signal: stopping.signal });
    stopping.abort(new Error('the worker stops'));
    expect(await running).toMatchObject({ status: 'aborted', error: { message: 'the worker stops' } });
  });

  test('refuses a policy that no consumer would take', async () => {
    await expect(runProcessor(() => 1, {}, { policy: { maxAttempts: 0 } })).rejects.toThrow('policy.maxAttempts');
  });

  test('keeps what the processor logs, with the fields of its children', async () => {
    const logger = createTestLogger();
    const processor: Processor = (_request, context) => {
      context.logger.info('begun');
      context.logger.child?.({ step: 2 }).warn({ left: 1 }, 'low');
    };
    await runProcessor(processor, {}, { logger });
    expect(logger.lines).toEqual([
      { level: 'info', message: 'begun', fields: {} },
      { level: 'warn', message: 'low', fields: { step: 2, left: 1 } },
    ]);
  });
});
