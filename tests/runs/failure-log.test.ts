/** What the log says of failed runs, and how much of it. */
import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import { type Processor, UnrecoverableError } from '../../lib/processor.ts';
import { RunEndedError } from '../../lib/run-ended.ts';
import { createFailureLog } from '../../lib/runs/failure-log.ts';
import type { TextProcessor } from '../../lib/runs/load-processor.ts';
import { createRunRequest } from '../../lib/runs/run.ts';
import type { Run } from '../../lib/types.ts';
import { readableLog, warn } from '../support/log-lines.ts';
import { testPolicy } from './support/policy.ts';

const plainRun = {
  userId: 'ada',
  seq: 4,
  user: 'auth0|6571',
  body: '{}',
  attempt: 1,
  fencingToken: 9,
  limits: {},
  forgiven: 0,
  interruptions: 0,
  signal: new AbortController().signal,
};

const logOf = async (
  loaded: { processor: Processor } | { textProcessor: TextProcessor },
  run: Partial<Run> = {},
  level = 'info',
) => {
  const { log, lines } = readableLog(level);
  const clock = { ...systemClock, random: () => 0.5 };
  await createRunRequest({ ...loaded, policy: testPolicy }, { clock, log })({ ...plainRun, ...run });
  return lines;
};

const throwing = (value: unknown): Processor => {
  return function charge() {
    throw value;
  };
};

describe('a run that fails', () => {
  test('is logged in one line with its error, stack and cause, its request, its duration and what follows', async () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' });
    const processor = throwing(new TypeError('cannot read the price', { cause }));
    expect(await logOf({ processor })).toEqual([
      expect.objectContaining({
        level: warn,
        msg: 'run failed',
        userId: 'ada',
        user: 'auth0|6571',
        seq: 4,
        attempt: 1,
        outcome: 'retry',
        delayMs: 150,
        ms: expect.any(Number),
        err: {
          type: 'TypeError',
          message: 'cannot read the price',
          stack: expect.stringContaining('failure-log.test.ts'),
          cause: expect.objectContaining({ message: cause.message, code: 'ECONNREFUSED', stack: expect.any(String) }),
        },
      }),
    ]);
  });

  test('says in the same line that its request becomes a dead letter', async () => {
    const [last] = await logOf({ processor: throwing(new Error('no')) }, { attempt: 3 });
    expect(last).toMatchObject({ outcome: 'failed', err: { message: 'no' } });
    const [never] = await logOf({ processor: throwing(new UnrecoverableError('never')) });
    expect(never).toMatchObject({ outcome: 'failed', err: { type: 'UnrecoverableError', message: 'never' } });
  });

  test.each<[string, unknown, object]>([
    ['a text', 'plain', { type: 'Error', message: 'plain' }],
    ['an object', { code: 3 }, { type: 'Error', message: '{ code: 3 }' }],
    ['nothing', undefined, { type: 'Error', message: 'undefined' }],
  ])('is logged as it is recorded when it threw %s', async (_what, value, err) => {
    const [line] = await logOf({ processor: throwing(value) });
    expect(line).toMatchObject({ msg: 'run failed', err });
    expect(line?.err).not.toHaveProperty('stack');
  });

  test('is logged when its result or its request cannot be used', async () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const [badResult] = await logOf({ processor: () => circle });
    expect(badResult).toMatchObject({
      outcome: 'failed',
      err: { type: 'BadResultError', cause: { type: 'TypeError', message: expect.stringContaining('circular') } },
    });
    const [badRequest] = await logOf({ processor: () => 1 }, { body: '{' });
    expect(badRequest).toMatchObject({ outcome: 'failed', err: { type: 'BadRequestError' } });
  });

  test('is logged for a processor of ours too, such as the webhook', async () => {
    const textProcessor: TextProcessor = () => {
      throw new Error('The webhook responded with 500');
    };
    expect(await logOf({ textProcessor })).toMatchObject([{ msg: 'run failed', userId: 'ada', seq: 4 }]);
  });

  test('is logged with an error that cannot be read', async () => {
    const get = () => {
      throw new Error('unreadable');
    };
    const names = ['cause', 'code', 'message', 'name', 'stack', 'errors'];
    const hostile = Object.defineProperties(new Error(), Object.fromEntries(names.map((name) => [name, { get }])));
    expect(await logOf({ processor: throwing(hostile) })).toMatchObject([{ msg: 'run failed', seq: 4 }]);
  });

  test('is not logged above debug when it was aborted: it runs again', async () => {
    const run = { signal: AbortSignal.abort() };
    expect(await logOf({ processor: throwing(new Error('aborted')) }, run)).toEqual([]);
    expect(await logOf({ processor: throwing(new Error('aborted')) }, run, 'debug')).toMatchObject([
      { msg: 'run aborted', outcome: 'aborted', err: { message: 'aborted' } },
    ]);
  });

  test('is a warning when an operator ended it, with what it threw', async () => {
    const lane = new AbortController();
    const processor: Processor = () => {
      lane.abort(new RunEndedError());
      throw new TypeError('lost my place');
    };
    expect(await logOf({ processor }, { signal: lane.signal })).toMatchObject([
      {
        level: warn,
        msg: 'run failed after an operator ended it',
        outcome: 'ended',
        err: { message: 'lost my place' },
      },
    ]);
  });

  test('is not logged when it succeeds', async () => {
    expect(await logOf({ processor: () => 1 })).toEqual([]);
  });
});

test('a deadline that passes is logged at once, before the run ends', async () => {
  const { log, lines } = readableLog();
  const ending = Promise.withResolvers<void>();
  const passed = Promise.withResolvers<void>();
  const processor: Processor = async (_request, { signal }) => {
    signal.addEventListener('abort', () => passed.resolve());
    await ending.promise;
  };
  const running = createRunRequest(
    { processor, policy: { ...testPolicy, timeoutMs: 20 } },
    { clock: systemClock, log },
  )(plainRun);
  await passed.promise;
  expect(lines).toMatchObject([
    { level: warn, msg: 'run past its timeout', userId: 'ada', seq: 4, attempt: 1, timeoutMs: 20 },
  ]);
  ending.resolve();
  await running;
  expect(lines).toMatchObject([{}, { msg: 'run failed', err: { type: 'RunTimeoutError' } }]);
});

test('a storm of failures is logged in a bounded number of lines, which leave room for other kinds and say how many are missing', () => {
  const { log, lines } = readableLog();
  let now = 0;
  const later: (() => void)[] = [];
  const after = (_ms: number, callback: () => void) => {
    later.push(callback);
    return () => {};
  };
  const fail = createFailureLog({ clock: { monotonicMs: () => now, after }, log });
  for (let n = 0; n < 5_000; n += 1) fail('frequent', { n }, 'run failed');
  fail('rare', { rare: true }, 'run failed');
  expect(lines).toHaveLength(11);
  expect(lines.at(-1)).toMatchObject({ rare: true });
  for (let n = 0; n < 5_000; n += 1) fail(`kind ${n}`, { n }, 'run failed');
  expect(lines).toHaveLength(50);

  expect(later).toHaveLength(1);
  now = 1_000;
  later[0]?.();
  expect(lines.at(-1)).toMatchObject({ level: warn, unlogged: 9_951 });
  fail('frequent', { n: 'again' }, 'run failed');
  expect(lines.at(-1)).toMatchObject({ n: 'again' });
});
