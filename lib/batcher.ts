/** Group commit: items that come while a batch is on its way travel together in the next batch. */

export type Batcher<T, R> = (item: T) => Promise<R>;

type Waiting<T, R> = { item: T; resolve: (result: R) => void; reject: (error: unknown) => void };

/**
 * @param run gets the items in the order in which they came and resolves to one result for each, in that order. When it
 * rejects, every item of the batch is rejected.
 * @param maxItems items in one batch. @param maxInFlight batches under way at a time.
 * @param endsWaiting whether what waits when a batch fails with this error is rejected with it, instead of being sent.
 * @param maxSize a batch ends before the item that brings the sum of `sizeOf` above this, but has at least one item.
 */
export const createBatcher = <T, R>(
  run: (items: T[]) => Promise<R[]>,
  limits: {
    maxItems: number;
    maxInFlight: number;
    maxSize?: number;
    sizeOf?: (item: T) => number;
    endsWaiting?: (error: unknown) => boolean;
  },
): Batcher<T, R> => {
  const { maxItems, maxInFlight, maxSize = Number.POSITIVE_INFINITY, sizeOf = () => 0 } = limits;
  const { endsWaiting = () => false } = limits;
  const waiting: Waiting<T, R>[] = [];
  let inFlight = 0;
  let scheduled = false;

  const send = async (batch: Waiting<T, R>[]): Promise<void> => {
    inFlight += 1;
    try {
      const results = await run(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => {
        resolve(results[index] as R);
      });
    } catch (error) {
      const failed = endsWaiting(error) ? [...batch, ...waiting.splice(0)] : batch;
      for (const { reject } of failed) reject(error);
    } finally {
      inFlight -= 1;
      schedule();
    }
  };

  const nextBatch = (): Waiting<T, R>[] => {
    let size = 0;
    const tooLarge = waiting.slice(0, maxItems).findIndex(({ item }, index) => {
      size += sizeOf(item);
      return index > 0 && size > maxSize;
    });
    return waiting.splice(0, tooLarge < 0 ? maxItems : tooLarge);
  };

  /** A microtask later, so that all items of the same turn of the event loop share a batch. */
  const schedule = (): void => {
    if (scheduled || waiting.length === 0 || inFlight >= maxInFlight) return;
    scheduled = true;
    // Not queueMicrotask, which a test of a processor may have replaced by a fake.
    void Promise.resolve().then(() => {
      scheduled = false;
      // What was waiting may have been rejected meanwhile.
      if (waiting.length === 0) return;
      void send(nextBatch());
      schedule();
    });
  };

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      schedule();
    });
};
