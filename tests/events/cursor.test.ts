import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  cursorAfter,
  cursorText,
  isInSpans,
  maxCursorChars,
  maxSpans,
  readCursor,
  spansWith,
} from '../../lib/events/cursor.ts';
import type { Cursor } from '../../lib/ports.ts';

const last = 999_999_999_999_999;
const gap = fc.integer({ min: 1, max: 1_000 });

const cursors: fc.Arbitrary<Cursor> = fc
  .record({
    settledThrough: fc.nat(1_000_000_000),
    behind: gap,
    front: fc.record({
      attempts: fc.nat(1_000),
      phase: fc.constantFrom('q' as const, 'r' as const, 'f' as const, 'b' as const),
    }),
    spans: fc.array(fc.tuple(gap, gap), { maxLength: maxSpans }),
  })
  .map(({ settledThrough, behind, front, spans }) => {
    let end = settledThrough;
    const ordered = spans.map(([before, length]) => {
      const from = end + before + 1;
      end = from + length - 1;
      return { from, to: end };
    });
    return { settledThrough, acceptedThrough: end + behind, front, spans: ordered };
  });

describe('a cursor', () => {
  test('comes back from its text', () => {
    fc.assert(fc.property(cursors, (cursor) => expect(readCursor(cursorText(cursor))).toEqual(cursor)));
    fc.assert(fc.property(fc.nat(last), (seq) => expect(readCursor(`${seq}`)).toEqual(cursorAfter(seq))));
  });

  test('fits into a URL, however long it is', () => {
    const spans = Array.from({ length: maxSpans }, (_, index) => ({
      from: last - 400 + 5 * index,
      to: last - 398 + 5 * index,
    }));
    const text = cursorText({
      settledThrough: last - 500,
      acceptedThrough: last,
      front: { attempts: 999_999_999, phase: 'r' },
      spans,
    });
    expect(text.length).toBeLessThan(maxCursorChars);
    expect(readCursor(text)?.spans).toEqual(spans);
    expect(encodeURI(text)).toBe(text);
  });

  test.each([
    ...[
      '',
      ' ',
      '-1',
      '1.5e3',
      '01',
      '1.',
      '.2',
      '1.2.',
      '1.2.3',
      '1.2.r',
      '1.2.3x',
      '1.2.03r',
      '1.2.0q',
      '1.1',
      '2.1',
      '1.1.1r',
    ],
    ...[
      '1~3',
      '1.9~',
      '1.9~2',
      '1.9~1',
      '1.9~4,4',
      '1.9~4,5',
      '1.9~5-4',
      '1.9~4-4',
      '1.9~4,3',
      '1.9~10',
      '1.9~4-',
      '1.9~4--5',
      '1.9~,4',
    ],
    ...['9999999999999999', '1.9~4 ', '1.9~04', '١', '1\n', `1.999~${Array.from({ length: 65 }, (_, i) => 3 + 2 * i)}`],
  ])('is not %j', (text) => {
    expect(readCursor(text)).toBeUndefined();
  });

  test('garbage is refused, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d.~,qrfb-]{0,60}$/)), (text) => {
        const cursor = readCursor(text);
        if (cursor) expect(cursorText(cursor)).toBe(text);
      }),
    );
  });

  test('keeps its spans as a set of numbers would', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 })), (seqs) => {
        let spans: Cursor['spans'] = [];
        for (const seq of seqs) spans = spansWith(spans, seq) as Cursor['spans'];
        for (let seq = 0; seq <= 61; seq += 1) expect(isInSpans(spans, seq)).toBe(seqs.includes(seq));
        for (const [index, { from }] of spans.entries()) expect(from).toBeGreaterThan((spans[index - 1]?.to ?? -9) + 1);
      }),
    );
  });
});
