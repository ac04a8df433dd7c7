import { expect, test } from '@jest/globals';
import { sharePromise } from '../../lib/shared-promise.ts';

/** A shared value whose makings the test ends by hand. */
const shareByHand = () => {
  const makings: (PromiseWithResolvers<string> & { forget: () => void })[] = [];
  const shared = sharePromise<string>((forget) => {
    const making = { ...Promise.withResolvers<string>(), forget };
    makings.push(making);
    return making.promise;
  });
  return { shared, makings };
};

test('concurrent and later callers share one value', async () => {
  const { shared, makings } = shareByHand();
  expect(shared.current()).toBeUndefined();
  const calls = [shared.get(), shared.get()];
  makings[0]?.resolve('first');
  expect(await Promise.all([...calls, shared.get()])).toEqual(['first', 'first', 'first']);
  expect(makings).toHaveLength(1);
  expect(await shared.current()).toBe('first');
});

test('a failure reaches everybody who waits for it, and the next call tries again', async () => {
  const { shared, makings } = shareByHand();
  const calls = [shared.get(), shared.get()];
  makings[0]?.reject(new Error('no connection'));
  for (const call of calls) await expect(call).rejects.toThrow('no connection');
  const next = shared.get();
  makings[1]?.resolve('second');
  expect(await next).toBe('second');
});

test('a value that is of no more use is made again, by whichever side forgets it', async () => {
  const { shared, makings } = shareByHand();
  const first = shared.get();
  makings[0]?.forget();
  const second = shared.get();
  shared.forget(second);
  void shared.get();
  expect(makings).toHaveLength(3);
  expect(first).not.toBe(second);
});

test('forgetting a value that has been replaced leaves its successor alone', async () => {
  const { shared, makings } = shareByHand();
  const first = shared.get();
  makings[0]?.forget();
  const second = shared.get();
  makings[0]?.forget();
  shared.forget(first);
  makings[0]?.reject(new Error('late'));
  await expect(first).rejects.toThrow('late');
  expect(shared.current()).toBe(second);
});
