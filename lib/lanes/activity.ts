/** Counts the steps under way, and how many of them are inside a run, so that a handover can wait for the others. */
export class Activity {
  #steps = 0;
  #runs = 0;
  readonly #waiting = new Set<() => void>();
  readonly #leaving = new Set<() => void>();
  #isEnding = false;

  /** Steps under way, runs included. */
  get count(): number {
    return this.#steps;
  }

  begin(): void {
    this.#steps += 1;
  }

  end(): void {
    this.#steps -= 1;
    this.#changed();
  }

  runBegins(): void {
    this.#runs += 1;
    this.#changed();
  }

  runEnds(): void {
    this.#runs -= 1;
    this.#changed();
  }

  /** A handover begins: what `unlessEnding` waits for is waited for no longer. */
  beginEnd(): void {
    this.#isEnding = true;
    for (const leave of this.#leaving) leave();
    this.#leaving.clear();
  }

  /**
   * For what may take long and can be left to the next owner. Resolves to `undefined` when a handover begins before it ends. Not a
   * `Promise.race` with a promise of the handover: that lives as long as the lane is owned, and keeps something of every race.
   */
  unlessEnding<T>(work: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const leave = () => resolve(undefined);
      if (this.#isEnding) leave();
      else this.#leaving.add(leave);
      work.then(resolve, reject).finally(() => this.#leaving.delete(leave));
    });
  }

  /** Resolves when no step is under way. */
  whenIdle(): Promise<void> {
    return this.until(() => this.#steps === 0);
  }

  /** Resolves when no run goes on, lent ones included. */
  whenNoRuns(): Promise<void> {
    return this.until(() => this.#runs === 0);
  }

  /** Every step under way is inside a run. */
  onlyRuns(): boolean {
    return this.#steps === this.#runs;
  }

  /** Resolves when every step under way is inside a run. It may have changed again by then. */
  whenOnlyRuns(): Promise<void> {
    return this.until(() => this.onlyRuns());
  }

  #changed(): void {
    for (const check of [...this.#waiting]) check();
  }

  /** Resolves when the condition holds. It is asked now, and whenever a step ends, and a run begins or ends. */
  until(condition: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = () => {
      if (!condition()) return;
      this.#waiting.delete(check);
      resolve();
    };
    this.#waiting.add(check);
    check();
    return promise;
  }
}
