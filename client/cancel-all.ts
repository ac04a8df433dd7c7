/** One call cancels for a few seconds only, and says where the next one goes on. */
export type CancelledPart = { cancelled: number; next?: number };

/** Calls until nothing is left, and returns how many were cancelled. @param cancel those up to `upTo`, or all. */
export const cancelInParts = async (cancel: (upTo: number | undefined) => Promise<CancelledPart>): Promise<number> => {
  let cancelled = 0;
  let upTo: number | undefined;
  do {
    const part = await cancel(upTo);
    cancelled += part.cancelled;
    upTo = part.next;
  } while (upTo !== undefined);
  return cancelled;
};
