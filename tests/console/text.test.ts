import { expect, test } from '@jest/globals';
import { ranges } from '../../console/text.ts';

test.each([
  [[], ''],
  [[4], '4'],
  [[0, 1, 2, 3, 7, 9, 10], '0–3, 7, 9–10'],
  [Array.from({ length: 500 }, (_, index) => 2 * index), '0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22 and 488 more'],
])('%j are shown as ranges, the first few of a long list', (numbers, text) => {
  expect(ranges(numbers)).toBe(text);
});
