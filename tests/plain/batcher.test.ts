import { describe, expect, test } from '@jest/globals';
import { createBatcher } from '../../lib/batcher.ts';
import { chooseSurplus } from '../../lib/lanes/balance.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a batcher', () => {
  const held = (maxItems = 10, maxInFlight = 1, endsWaiting?: (error: unknown) => boolean) => {
    const batches: { items: number[]; end: PromiseWithResolvers<number[]> }[] = [];
    const ask = createBatcher<number, number>(
      (items) => {
        const end = Promise.withResolvers<number[]>();
        batches.push({ items, end });
        return end.promise;
      },
      { maxItems, maxInFlight, endsWaiting },
    );
    return { batches, ask };
  };

  test('sends the items of one turn in one batch, and those that come meanwhile in the next', async () => {
    const { batches, ask } = held();
    const answers = Promise.all([ask(1), ask(2)]);
    await turn();
    const later = ask(3);
    await turn();
    expect(batches.map(({ items }) => items)).toEqual([[1, 2]]);
    batches[0]?.end.resolve([10, 20]);
    expect(await answers).toEqual([10, 20]);
    await turn();
    expect(batches[1]?.items).toEqual([3]);
    batches[1]?.end.resolve([30]);
    expect(await later).toBe(30);
  });

  test('never exceeds its limits on items in a batch and batches in flight', async () => {
    const { batches, ask } = held(2, 2);
    for (const item of [1, 2, 3, 4, 5]) void ask(item);
    await turn();
    expect(batches.map(({ items }) => items)).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test('rejects every item of a batch that fails and goes on with the next', async () => {
    const { batches, ask } = held(1);
    const [first, second] = [ask(1), ask(2)];
    await turn();
    batches[0]?.end.reject(new Error('no'));
    await expect(first).rejects.toThrow('no');
    await turn();
    batches[1]?.end.resolve([2]);
    expect(await second).toBe(2);
  });

  test('rejects what waits behind a batch that fails with an error that ends waiting, and sends what comes then', async () => {
    const { batches, ask } = held(1, 2, (error) => (error as Error).message === 'away');
    const answers = [1, 2, 3, 4].map((item) => ask(item).catch(({ message }: Error) => message));
    await turn();
    // The other batch ends in the same turn: it must not be followed by an empty one.
    batches[1]?.end.resolve([2]);
    batches[0]?.end.reject(new Error('away'));
    expect(await Promise.all(answers)).toEqual(['away', 2, 'away', 'away']);
    const later = ask(5);
    await turn();
    expect(batches.map(({ items }) => items)).toEqual([[1], [2], [5]]);
    batches[2]?.end.resolve([5]);
    expect(await later).toBe(5);
  });
});

describe('the balance', () => {
  test('hands over only the surplus, and lanes without runs first', () => {
    const lanes = [4, 0, 2, 0].map((workingCount, lane) => ({ lane, users: { workingCount } }));
    expect(chooseSurplus(lanes, 1).map(({ lane }) => lane)).toEqual([1, 3, 2]);
    expect(chooseSurplus(lanes, 4)).toEqual([]);
  });
});
