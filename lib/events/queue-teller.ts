/** Tells a client how far its queue has come: when that has changed, and at most once a second. */
const everyMs = 1_000;

export class QueueTeller {
  #mayHaveChanged = true;
  #told: string | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;

  note(): void {
    this.#mayHaveChanged = true;
  }

  /** When it may be told, if it has changed. */
  dueAt(): number {
    return this.#mayHaveChanged ? this.#toldAt + everyMs : Number.POSITIVE_INFINITY;
  }

  /** What to tell now, if anything. */
  due(now: number, queue: () => string): string | undefined {
    if (now < this.dueAt()) return undefined;
    this.#mayHaveChanged = false;
    const text = queue();
    if (text === this.#told) return undefined;
    this.#told = text;
    this.#toldAt = now;
    return text;
  }
}
