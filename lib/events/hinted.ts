import type { SeqSpan } from '../ports.ts';
import { spansWith } from './cursor.ts';

/** Requests behind the first ones that hints have named, and that nobody has read since. All that wait may be cancelled by one call. */
export class Hinted {
  #spans: SeqSpan[] = [];

  get isEmpty(): boolean {
    return this.#spans.length === 0;
  }

  /** Without room for another span it is told when its turn comes. */
  add(seq: number): void {
    this.#spans = spansWith(this.#spans, seq) ?? this.#spans;
  }

  /** Up to `most` of those behind `seq`, which are then forgotten, with those that are not. */
  take(most: number, after: number): number[] {
    const taken: number[] = [];
    for (let span = this.#spans[0]; span && taken.length < most; span = this.#spans[0]) {
      const from = Math.max(span.from, after + 1);
      const to = Math.min(span.to, from + most - taken.length - 1);
      for (let seq = from; seq <= to; seq += 1) taken.push(seq);
      if (to < span.to) this.#spans[0] = { from: to + 1, to: span.to };
      else this.#spans.shift();
    }
    return taken;
  }
}
