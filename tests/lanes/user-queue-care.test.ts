/** Opening, marking and deleting user queues beside a RabbitMQ that answers late or not at all [R10]. */
import { describe, expect, test } from '@jest/globals';
import { BrokerRefusedError } from '../../lib/errors.ts';
import type { WorkerContext } from '../../lib/lanes/context.ts';
import type { LoadedUser } from '../../lib/lanes/loaded-user.ts';
import { UserQueueCare } from '../../lib/lanes/user-queue-care.ts';
import { user as loadedUser } from './one-user.ts';

const idle = { kind: 'none' } as const;
const refusal = new BrokerRefusedError('let the queue be consumed', new Error('no'));
const settle = () => new Promise(setImmediate);

/** A care whose servers and timers answer when the test says so. */
const open = () => {
  const opens: PromiseWithResolvers<void>[] = [];
  const marks: { refused: boolean; answer: PromiseWithResolvers<void> }[] = [];
  const timers: { ms: number; callback: () => void; cancelled: boolean }[] = [];
  const [lost, refreshed, warned]: string[][] = [[], [], []];
  const pending = (list: PromiseWithResolvers<void>[]) => {
    const call = Promise.withResolvers<void>();
    list.push(call);
    return call.promise;
  };
  const user: LoadedUser = { ...loadedUser(), queue: 'none' };
  const context = {
    deps: {
      clock: {
        monotonicMs: () => 0,
        random: () => 0,
        after: (ms: number, callback: () => void) => {
          const timer = { ms, callback, cancelled: false };
          timers.push(timer);
          return () => {
            timer.cancelled = true;
          };
        },
      },
      log: { warn: (_fields: unknown, text: string) => warned!.push(text) },
      userQueues: {
        noteQueueRefused: (_userId: string, refused: boolean) => {
          const answer = Promise.withResolvers<void>();
          marks.push({ refused, answer });
          return answer.promise;
        },
      },
    },
  } as unknown as WorkerContext;
  const care: UserQueueCare = new UserQueueCare({
    lane: {
      lane: 3,
      token: 1,
      signal: new AbortController().signal,
      mayStart: () => true,
      isHeld: () => true,
      lose: (reason) => void lost!.push(reason),
    },
    queues: { open: () => pending(opens), delete: () => Promise.reject(refusal), close: async () => undefined },
    registry: { isLoaded: () => true, forget: () => undefined, refresh: (userId) => void refreshed!.push(userId) },
    context,
    advance: (one) => care.openWhenDue(one, idle),
  });
  return { care, user, opens, marks, timers, lost: lost!, refreshed: refreshed!, warned: warned! };
};

test('queues are opened a few at a time, and the time of one begins when it is its turn', async () => {
  const { care, opens, timers } = open();
  for (let index = 0; index < 10; index += 1)
    care.openWhenDue({ ...loadedUser(), userId: `u${index}`, queue: 'none' }, idle);
  expect([opens.length, timers.length, care.opening().length]).toEqual([4, 4, 4]);
  opens[1]!.reject(refusal);
  await settle();
  expect(opens).toHaveLength(5);
  for (let index = 0; index < 10; index += 1) {
    opens[index]!.resolve();
    await settle();
  }
  expect(opens).toHaveLength(10);
  expect(care.opening()).toEqual([]);
});

describe('a queue that takes long to open', () => {
  test('is marked after a second, so that its user does not wait for it, and unmarked when it is open', async () => {
    const { care, user, opens, marks, timers, refreshed } = open();
    care.openWhenDue(user, idle);
    const [slow] = timers;
    expect(slow).toMatchObject({ ms: 1_000, cancelled: false });
    slow!.callback();
    expect(marks.map(({ refused }) => refused)).toEqual([true]);
    expect(refreshed).toEqual([]);
    marks[0]!.answer.resolve();
    await settle();
    expect(refreshed).toEqual(['u']);
    opens[0]!.resolve();
    await settle();
    expect(user.queue).toBe('open');
    expect(marks.map(({ refused }) => refused)).toEqual([true, false]);
  });

  test('is not marked when it opens in time', async () => {
    const { care, user, opens, marks, timers } = open();
    care.openWhenDue(user, idle);
    opens[0]!.resolve();
    await settle();
    expect(timers).toMatchObject([{ cancelled: true }]);
    expect(marks).toEqual([]);
  });
});

test('a queue counts as being opened until the answer, also when its consumer is lost meanwhile', async () => {
  const { care, user, opens } = open();
  care.openWhenDue(user, idle);
  user.queue = 'none';
  expect(care.opening()).toEqual(['u']);
  opens[0]!.resolve();
  await settle();
  expect(care.opening()).toEqual(['u']);
  opens[1]!.resolve();
  await settle();
  expect(care.opening()).toEqual([]);
});

test('the mark that is wanted last is written last, one write at a time', async () => {
  const { care, user, opens, marks, timers } = open();
  user.markedRefused = true;
  care.openWhenDue(user, idle);
  opens[0]!.resolve();
  await settle();
  expect(marks.map(({ refused }) => refused)).toEqual([false]);
  // The queue is lost and refused again before the answer.
  user.queue = 'none';
  care.openWhenDue(user, idle);
  opens[1]!.reject(refusal);
  await settle();
  expect(marks).toHaveLength(1);
  expect(timers.at(-1)).toMatchObject({ ms: 500 });
  marks[0]!.answer.resolve();
  await settle();
  expect(marks.map(({ refused }) => refused)).toEqual([false, true]);
});

test('a mark that MongoDB refuses loses the lane, and not the worker', async () => {
  const { care, user, opens, marks, lost } = open();
  care.openWhenDue(user, idle);
  opens[0]!.reject(refusal);
  await settle();
  marks[0]!.answer.reject(new Error('you are over your space quota'));
  await settle();
  expect(lost).toEqual(['the refusal of a user queue could not be marked']);
});

test('each refusal in a row is one warning for its user, with another text for a delete', async () => {
  const { care, user, opens, timers, warned } = open();
  care.openWhenDue(user, idle);
  opens[0]!.reject(refusal);
  await settle();
  timers.at(-1)!.callback();
  opens[1]!.reject(refusal);
  await settle();
  expect(warned).toEqual(['RabbitMQ refused a user queue: serving its user from the ledger']);
  const other: LoadedUser = { ...loadedUser(), queue: 'open' };
  expect(await care.delete(other)).toBe(false);
  expect(warned[1]).toMatch(/^RabbitMQ did not delete a user queue/);
});
