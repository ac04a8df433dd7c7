/** One of `parts` whole numbers that add up to `whole` and are as equal as they can be: the first ones have the remainder. */
export const partOf = (whole: number, parts: number, place: number): number =>
  Math.floor(whole / parts) + (place < whole % parts ? 1 : 0);
