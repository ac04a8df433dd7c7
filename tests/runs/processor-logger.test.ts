/** The logger that a processor gets: what its lines look like, and what fits its type. */
import { describe, expect, test } from '@jest/globals';
import pino from 'pino';
import { systemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import type { Processor, ProcessorContext, ProcessorLogger } from '../../lib/processor.ts';
import { createRunRequest } from '../../lib/runs/run.ts';
import { testPolicy } from './support/policy.ts';

/** The raw lines that the logger of a run writes: parsing would hide a key that is there twice. */
const rawLines = async (write: (logger: Required<ProcessorLogger>) => void, level = 'info'): Promise<string[]> => {
  const lines: string[] = [];
  const log = createLogger(level, { role: 'worker', pid: 7 }, { write: (line) => void lines.push(line) });
  const processor: Processor = (_request, { logger }) => write(logger as Required<ProcessorLogger>);
  const runRequest = createRunRequest({ processor, policy: testPolicy }, { clock: systemClock, log });
  const { signal } = new AbortController();
  const run = {
    userId: 'ada',
    user: 'ada',
    seq: 4,
    attempt: 2,
    fencingToken: 9,
    limits: {},
    forgiven: 0,
    interruptions: 0,
  };
  expect(await runRequest({ ...run, body: '{}', signal })).toMatchObject({ kind: 'done' });
  return lines;
};

/** The keys of the line itself, without those of objects in it. */
const keysOf = (line: string): string[] => {
  const flat = line
    .trim()
    .slice(1, -1)
    .replaceAll(/\{[^{}]*\}/g, '0');
  return [...flat.matchAll(/"(\w+)":/g)].map(([, key]) => key ?? '');
};

describe('the logger of a run', () => {
  test('writes the user, the seq and the attempt in each line', async () => {
    const [line = ''] = await rawLines((logger) => logger.info({ orderId: 17 }, 'order sent'));
    expect(JSON.parse(line)).toMatchObject({
      level: 30,
      role: 'worker',
      pid: 7,
      userId: 'ada',
      seq: 4,
      attempt: 2,
      orderId: 17,
      msg: 'order sent',
    });
  });

  test.each<[string, (logger: Required<ProcessorLogger>) => void]>([
    ['its own attempt', (logger) => logger.info({ attempt: 2 }, 'try')],
    ['a message as a field too', (logger) => logger.info({ msg: 'one' }, 'two')],
    ['a field that its child has', (logger) => logger.child({ orderId: 1 }).info({ orderId: 2 }, 'order')],
    ['a child that its child has', (logger) => logger.child({ orderId: 1 }).child?.({ orderId: 2 }).warn('order')],
    ['a child with names that are taken', (logger) => logger.child({ userId: 'bob', level: 'high' }).error('x')],
    ['a field named processor', (logger) => logger.info({ processor: 'mine', time: 0 }, 'x')],
  ])('never writes a key twice: %s', async (_what, write) => {
    const [line = ''] = await rawLines(write);
    expect(keysOf(line).length).toBeGreaterThan(6);
    expect(new Set(keysOf(line)).size).toBe(keysOf(line).length);
  });

  test('keeps a field whose name is taken inside `processor`, and leaves out one that says the same', async () => {
    const lines = await rawLines((logger) => {
      logger.info({ attempt: 2, userId: 'bob', orderId: 17 }, 'x');
      logger.info({ attempt: 2 }, 'y');
    });
    const [clash, same] = lines.map((line) => JSON.parse(line));
    expect(clash).toMatchObject({ userId: 'ada', attempt: 2, orderId: 17, processor: { userId: 'bob' } });
    expect(same).not.toHaveProperty('processor');
  });

  test('takes errors, messages with arguments and single texts, as pino does', async () => {
    const lines = await rawLines((logger) => {
      const { error, info, fatal } = logger;
      error(new TypeError('broken'));
      error({ err: new Error('inner') }, 'outer');
      (info as (...passed: unknown[]) => void)('all of %s', 'it');
      info('100% sure');
      info({ msg: 'as a field' });
      fatal('the end');
    });
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 50, msg: 'broken', err: { type: 'TypeError', message: 'broken', stack: expect.any(String) } },
      { msg: 'outer', err: { message: 'inner' } },
      { msg: 'all of it' },
      { msg: '100% sure' },
      { msg: 'as a field' },
      { level: 60, msg: 'the end' },
    ]);
  });

  test('writes only what LOG_LEVEL allows, and hides secrets', async () => {
    const lines = await rawLines((logger) => {
      logger.info('quiet');
      logger.child({ password: 'hunter2' }).warn({ token: 'hunter3', nested: { secret: 'hunter4' } }, 'loud');
    }, 'warn');
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('hunter');
  });
});

test('a test may pass console, or a logger of pino, to a processor', () => {
  const context = {
    userId: 'ada',
    user: 'ada',
    seq: 1,
    attempt: 1,
    fencingToken: 1,
    signal: new AbortController().signal,
  };
  const contexts: ProcessorContext[] = [
    { ...context, logger: console },
    { ...context, logger: pino({ level: 'silent' }) },
  ];
  const processor: Processor = (_request, { logger }) => typeof logger.child?.({ orderId: 1 })?.info;
  expect(contexts.map((one) => processor({}, one))).toEqual(['undefined', 'function']);
});
