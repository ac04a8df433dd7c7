import type { SeqSpan } from '../ports.ts';
import { maxSpans, spansWith } from './cursor.ts';

/** With the two nearest spans made one: what lies between them is read in vain. */
const withNearestJoined = (spans: SeqSpan[]): SeqSpan[] => {
  const gapBehind = (index: number): number =>
    (spans[index + 1]?.from ?? Number.POSITIVE_INFINITY) - (spans[index]?.to ?? 0);
  const nearest = spans.reduce((best, _span, index) => (gapBehind(index) < gapBehind(best) ? index : best), 0);
  const [one, other] = [spans[nearest] as SeqSpan, spans[nearest + 1] as SeqSpan];
  return spans.toSpliced(nearest, 2, { from: one.from, to: other.to });
};

/** Other requests than the first ones that one read looks at. */
export const hintedInRead = 64;

/** Requests behind the first ones that hints have named, and that nobody has read since. All that wait may be cancelled by one call. */
export class Hinted {
  #spans: SeqSpan[] = [];

  get isEmpty(): boolean {
    return this.#spans.length === 0;
  }

  add(seq: number): void {
    if (this.#spans.length === maxSpans) this.#spans = withNearestJoined(this.#spans);
    this.#spans = spansWith(this.#spans, seq) as SeqSpan[];
  }

  /** Up to `most` of those behind `after`, the last ones first, which are then forgotten, and so are those that are not behind it. */
  take(most: number, after: number): number[] {
    const taken: number[] = [];
    for (let span = this.#spans.pop(); span; span = this.#spans.pop()) {
      const from = Math.max(span.from, after + 1);
      const to = Math.max(from - 1, span.to - (most - taken.length));
      for (let seq = span.to; seq > to; seq -= 1) taken.push(seq);
      if (to < from) continue;
      this.#spans.push({ from, to });
      break;
    }
    return taken;
  }
}
