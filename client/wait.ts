/** Waiting that a signal ends. */

/** What a browser has and Node's global object has not. */
type Listening = {
  addEventListener?: (type: string, listener: () => void, options?: { signal: AbortSignal }) => void;
};

/** Calls back when the browser is online again, until the signal aborts. */
export const onOnline = (callback: () => void, signal: AbortSignal): void =>
  (globalThis as Listening).addEventListener?.('online', callback, { signal });

/** Waits, and no longer than until the browser is online again. @throws the reason of the signal. */
export const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
  signal.throwIfAborted();
  const over = new AbortController();
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      over.signal.addEventListener('abort', () => clearTimeout(timer));
      signal.addEventListener('abort', () => reject(signal.reason), { signal: over.signal });
      onOnline(resolve, over.signal);
    });
  } finally {
    over.abort();
  }
};

/** @throws the reason of the signal when it aborts first. The promise itself goes on. */
export const unlessAborted = async <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> => {
  signal.throwIfAborted();
  const over = new AbortController();
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { signal: over.signal });
      }),
    ]);
  } finally {
    over.abort();
  }
};

const longestPauseMs = 5_000;

/** Doubles with each failure, up to 5 s, and differs between clients, so that they do not all come back at once. */
export const backOffMs = (failures: number, baseMs: number): number =>
  Math.min(longestPauseMs, baseMs * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2);
