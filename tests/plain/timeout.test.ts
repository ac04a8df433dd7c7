import { expect, test } from '@jest/globals';
import { withTimeout } from '../../lib/timeout.ts';

/** A clock whose timers the test fires by hand. */
const handClock = () => {
  const timers = new Set<() => void>();
  return {
    timers,
    after: (_ms: number, callback: () => void) => {
      timers.add(callback);
      return () => timers.delete(callback);
    },
    fire: () => {
      for (const callback of timers) callback();
    },
  };
};

const never = new Promise<string>(() => undefined);
const fail = (): never => {
  throw new Error('too late');
};

test('work that ends in time settles the call, and its timer is cancelled', async () => {
  const clock = handClock();
  expect(await withTimeout(clock, 10, Promise.resolve('done'), fail)).toBe('done');
  await expect(withTimeout(clock, 10, Promise.reject(new Error('failed')), fail)).rejects.toThrow('failed');
  expect(clock.timers.size).toBe(0);
});

test('work that takes too long is replaced by what the timeout returns or throws', async () => {
  const clock = handClock();
  const returned = withTimeout(clock, 10, never, () => 'late');
  const thrown = withTimeout(clock, 10, never, fail);
  clock.fire();
  expect(await returned).toBe('late');
  await expect(thrown).rejects.toThrow('too late');
});

test('work that fails after its timeout is ignored', async () => {
  const clock = handClock();
  const work = Promise.withResolvers<string>();
  const call = withTimeout(clock, 10, work.promise, () => 'late');
  clock.fire();
  expect(await call).toBe('late');
  work.reject(new Error('nobody waits for this'));
  // An unhandled rejection would fail the test here.
  await new Promise(setImmediate);
});

test('nothing is decided about the timeout of work that has ended', async () => {
  const clock = handClock();
  let timeouts = 0;
  const work = Promise.withResolvers<string>();
  const call = withTimeout(clock, 10, work.promise, () => {
    timeouts += 1;
  });
  work.resolve('done');
  expect(await call).toBe('done');
  clock.fire();
  await new Promise(setImmediate);
  expect(timeouts).toBe(0);
});
