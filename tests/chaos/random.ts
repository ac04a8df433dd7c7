/** Random numbers that a seed determines. */

export type Random = {
  /** Uniform in [0, 1). */
  next(): number;
  /** An integer from `min` to `max`, both included. */
  between(min: number, max: number): number;
  pick<T>(items: readonly T[]): T;
  /** So many of the items, or all, in random order. */
  some<T>(items: readonly T[], count: number): T[];
  chance(probability: number): boolean;
  /** A new generator with its own seed. */
  fork(): Random;
};

/** mulberry32, which is small and good enough to choose faults and requests. */
export const seededRandom = (seed: number): Random => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    between,
    pick: (items) => {
      if (items.length === 0) throw new Error('Cannot pick from an empty list.');
      return items[between(0, items.length - 1)]!;
    },
    some: (items, count) =>
      items
        .map((item) => ({ item, place: next() }))
        .sort((a, b) => a.place - b.place)
        .slice(0, count)
        .map(({ item }) => item),
    chance: (probability) => next() < probability,
    fork: () => seededRandom(between(0, 2 ** 32 - 1)),
  };
};
