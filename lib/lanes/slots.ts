/** The runs that a worker may have at a time. Users get slots in the order in which they ask, one run each, so they share evenly. */
export type Slots = {
  /** Calls `granted` when a slot is free, at once if one is. `granted` returns whether it keeps the slot until `release`. */
  acquire(granted: () => boolean): void;
  release(): void;
  /** Whether other users wait. If so, a user gives its slot up after each run. */
  contended(): boolean;
  inUse(): number;
};

export const createSlots = (limit: number): Slots => {
  const waiting: (() => boolean)[] = [];
  let inUse = 0;
  return {
    acquire(granted) {
      if (inUse >= limit) {
        waiting.push(granted);
        return;
      }
      inUse += 1;
      if (!granted()) this.release();
    },
    release() {
      for (let next = waiting.shift(); next; next = waiting.shift()) if (next()) return;
      inUse -= 1;
    },
    contended: () => waiting.length > 0,
    inUse: () => inUse,
  };
};
