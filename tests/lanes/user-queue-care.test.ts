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
const open = ({ maxOpenQueues = 0 } = {}) => {
  const opens: PromiseWithResolvers<void>[] = [];
  const marks: { refused: boolean; answer: PromiseWithResolvers<void> }[] = [];
  const timers: { ms: number; callback: () => void; cancelled: boolean }[] = [];
  const [lost, refreshed, warned, unheard]: string[][] = [[], [], [], []];
  const calls: string[] = [];
  const now = { ms: 0 };
  const deletes = { answer: () => Promise.reject<void>(refusal) };
  const pending = (list: PromiseWithResolvers<void>[]) => {
    const call = Promise.withResolvers<void>();
    list.push(call);
    return call.promise;
  };
  const user: LoadedUser = { ...loadedUser(), queue: 'none' };
  const context = {
    deps: {
      config: { lanes: 4, maxOpenQueues, idleTimeoutMs: 60_000 },
      clock: {
        monotonicMs: () => now.ms,
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
    queues: {
      open: (userId) => {
        calls.push(`open ${userId}`);
        return pending(opens);
      },
      delete: (userId) => {
        calls.push(`delete ${userId}`);
        return deletes.answer();
      },
      close: async () => undefined,
    },
    registry: {
      isLoaded: () => true,
      forget: () => undefined,
      refresh: (userId) => void refreshed!.push(userId),
      noteUnheard: ({ userId }) => void unheard!.push(userId),
    },
    context,
    advance: (one) => care.openWhenDue(one, idle),
  });
  const noted = { lost: lost!, refreshed: refreshed!, warned: warned!, unheard: unheard! };
  return { care, user, opens, marks, timers, calls, deletes, now, ...noted };
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
  test('has its user looked up after a second, without a mark for each of thousands', async () => {
    const { care, user, opens, marks, timers, unheard } = open();
    care.openWhenDue(user, idle);
    const [slow] = timers;
    expect(slow).toMatchObject({ ms: 1_000, cancelled: false });
    expect(unheard).toEqual([]);
    slow!.callback();
    expect(unheard).toEqual(['u']);
    opens[0]!.resolve();
    await settle();
    expect([user.queue, marks]).toEqual(['open', []]);
  });

  test('is not looked up when it opens in time', async () => {
    const { care, user, opens, timers } = open();
    care.openWhenDue(user, idle);
    opens[0]!.resolve();
    await settle();
    expect(timers).toMatchObject([{ cancelled: true }]);
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

describe('a user beyond the cap', () => {
  /** The users of a lane that has room for `room` queues, as an earlier owner has left them. */
  const inherited = (room: number, marks: boolean[]) => {
    const opened = open({ maxOpenQueues: room * 4 });
    const users = marks.map(
      (markedRefused, index): LoadedUser => ({
        ...loadedUser(),
        userId: `u${index}`,
        queue: 'none',
        markedRefused,
      }),
    );
    opened.care.inherit(users);
    const start = () => {
      for (const user of users) opened.care.openWhenDue(user, idle);
    };
    return { ...opened, users, start };
  };

  test('is marked, then refreshed, and its queue is deleted', async () => {
    const { start, marks, calls, refreshed } = inherited(1, [false, false]);
    start();
    expect([marks.length, calls]).toEqual([1, ['open u0']]);
    marks[0]!.answer.resolve();
    await settle();
    expect([calls, refreshed]).toEqual([['open u0', 'delete u1'], ['u1']]);
  });

  test('is neither marked nor refreshed when it was marked before', async () => {
    const { start, marks, calls, refreshed } = inherited(1, [false, true, true]);
    start();
    await settle();
    expect(calls).toEqual(['open u0', 'delete u1', 'delete u2']);
    expect([marks, refreshed]).toEqual([[], []]);
  });

  test('has its queue deleted a few at a time, and behind every declare', async () => {
    const { start, care, opens, calls, deletes } = inherited(
      6,
      Array.from({ length: 12 }, () => true),
    );
    const answers: PromiseWithResolvers<void>[] = [];
    deletes.answer = () => {
      const answer = Promise.withResolvers<void>();
      answers.push(answer);
      return answer.promise;
    };
    start();
    expect(calls).toEqual(['open u0', 'open u1', 'open u2', 'open u3']);
    for (let index = 0; index < 4; index += 1) opens[index]!.resolve();
    await settle();
    expect(calls.slice(4)).toEqual(['open u4', 'open u5', 'delete u6', 'delete u7']);
    expect(care.opening()).toEqual(['u4', 'u5']);
    answers[0]!.resolve();
    await settle();
    expect(calls.slice(8)).toEqual(['delete u8']);
  });

  test('that got a queue before its turn to be deleted keeps it', async () => {
    const { start, users, calls, opens } = inherited(4, [true, true, true, true, true]);
    start();
    users[4]!.queue = 'opening';
    opens[0]!.resolve();
    await settle();
    expect(calls).toEqual(['open u0', 'open u1', 'open u2', 'open u3']);
  });

  test('is marked again when a stale owner has unset the mark, once a second at most', async () => {
    const { start, users, care, marks, now, refreshed } = inherited(1, [false, true]);
    const user = users[1]!;
    const refreshShowsNoMark = async () => {
      user.markedRefused = false;
      care.openWhenDue(user, idle);
      await settle();
    };
    start();
    await settle();
    await refreshShowsNoMark();
    expect(marks).toMatchObject([{ refused: true }]);
    await refreshShowsNoMark();
    expect(marks).toHaveLength(1);
    marks[0]!.answer.resolve();
    await settle();
    expect(refreshed).toEqual(['u1']);
    // Read before the mark was written.
    await refreshShowsNoMark();
    expect(marks).toHaveLength(1);
    now.ms = 1_000;
    await refreshShowsNoMark();
    expect(marks).toHaveLength(2);
  });

  test('is not marked again while it closes', async () => {
    const { start, users, care, marks } = inherited(1, [false, true]);
    start();
    Object.assign(users[1]!, { markedRefused: false, closing: true });
    care.openWhenDue(users[1]!, idle);
    expect(marks).toEqual([]);
  });
});
