/** The runs a worker may have at a time, given out in the order they are asked for: one each time, so users share evenly. */
export type Slots = {
  /** Calls `granted` when a slot is free, at once if one is. The slot is held until `release`. */
  acquire(granted: () => void): void;
  release(): void;
  /** Whether others wait: then a user gives its slot up after each run. */
  contended(): boolean;
  inUse(): number;
};

export const createSlots = (limit: number): Slots => {
  const waiting: (() => void)[] = [];
  let inUse = 0;
  return {
    acquire(granted) {
      if (inUse >= limit) {
        waiting.push(granted);
        return;
      }
      inUse += 1;
      granted();
    },
    release() {
      const next = waiting.shift();
      if (next) next();
      else inUse -= 1;
    },
    contended: () => waiting.length > 0,
    inUse: () => inUse,
  };
};
