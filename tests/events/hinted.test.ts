/** What a stream keeps of hints until it reads: little, and nothing is forgotten. */
import { expect, test } from '@jest/globals';
import { Hinted } from '../../lib/events/hinted.ts';

const descending = (from: number, to: number): number[] =>
  Array.from({ length: from - to + 1 }, (_, index) => from - index);

test('the last ones are taken first, and each once', () => {
  const hinted = new Hinted();
  for (const seq of [5, 3, 4, 9]) hinted.add(seq);
  expect(hinted.take(2, 0)).toEqual([9, 5]);
  expect(hinted.isEmpty).toBe(false);
  expect(hinted.take(2, 0)).toEqual([4, 3]);
  expect(hinted.isEmpty).toBe(true);
  expect(hinted.take(2, 0)).toEqual([]);
});

test('what is settled already is not taken', () => {
  const hinted = new Hinted();
  for (const seq of [2, 3, 4, 5]) hinted.add(seq);
  expect(hinted.take(10, 3)).toEqual([5, 4]);
  expect(hinted.isEmpty).toBe(true);
});

test.each([
  ['down', descending(10_000, 1)],
  ['up', descending(10_000, 1).reverse()],
  ['in no order', descending(10_000, 1).map((seq) => ((seq * 7_919) % 10_007) + 1)],
])('none of 10,000 hints is lost that come %s while it is read', (_order, seqs) => {
  const hinted = new Hinted();
  const taken = new Set<number>();
  const take = () => {
    for (const seq of hinted.take(64, 0)) taken.add(seq);
  };
  for (const [index, seq] of seqs.entries()) {
    hinted.add(seq);
    if (index % 80 === 0) take();
  }
  while (!hinted.isEmpty) take();
  expect(seqs.filter((seq) => !taken.has(seq))).toEqual([]);
});
