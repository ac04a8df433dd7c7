/** What one reader has not read yet. */
export type Inbox<Item> = {
  push(item: Item): void;
  fail(error: unknown): void;
  /** Waits for each next item. @throws what `fail` was called with. */
  read(signal: AbortSignal): AsyncGenerator<Item>;
};

/**
 * Keeps the newest items: each carries a whole state, so that a slow reader may do without those in between. `replaces`: whether an item
 * makes one that waits needless.
 */
export const createInbox = <Item>(
  most: number,
  replaces: (item: Item, waiting: Item) => boolean = () => false,
): Inbox<Item> => {
  const waiting: Item[] = [];
  let failure: { error: unknown } | undefined;
  let wake: () => void = () => undefined;
  return {
    push(item) {
      const needless = waiting.findIndex((one) => replaces(item, one));
      if (needless >= 0) waiting.splice(needless, 1);
      waiting.push(item);
      if (waiting.length > most) waiting.shift();
      wake();
    },
    fail(error) {
      failure ??= { error };
      wake();
    },
    async *read(signal) {
      const abort = (): void => wake();
      signal.addEventListener('abort', abort);
      try {
        for (;;) {
          signal.throwIfAborted();
          const item = waiting.shift();
          if (item !== undefined) yield item;
          else if (failure) throw failure.error;
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
  };
};
