/** Batches without a timer: what comes while a batch is under way goes into the next one. */
export const createBatches = <Item, Result>(send: (items: Item[]) => Promise<Result[]>) => {
  let waiting: { item: Item; settle: PromiseWithResolvers<Result> }[] = [];
  let isUnderWay = false;
  const run = async (): Promise<void> => {
    isUnderWay = true;
    // Calls of the same turn of the event loop travel together.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      await send(batch.map(({ item }) => item)).then(
        (results) => batch.forEach(({ settle }, index) => void settle.resolve(results[index] as Result)),
        (error) => batch.forEach(({ settle }) => void settle.reject(error)),
      );
    }
    isUnderWay = false;
  };
  return (item: Item): Promise<Result> => {
    const settle = Promise.withResolvers<Result>();
    waiting.push({ item, settle });
    if (!isUnderWay) void run();
    return settle.promise;
  };
};
