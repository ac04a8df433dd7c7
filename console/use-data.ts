/** What a page reads: again when it asks, each so often while it is visible, and when the API is back. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { returns } from './away.ts';
import { useSource } from './source.ts';

export type Data<Value> = { value?: Value; error?: Error; isLoading: boolean; reload(): void };

export const useData = <Value>(
  load: (signal: AbortSignal) => Promise<Value>,
  key: string,
  { everyMs }: { everyMs?: number } = {},
): Data<Value> => {
  const [state, setState] = useState<{ key: string; value?: Value; error?: Error }>({ key });
  const [asked, setAsked] = useState(0);
  const returned = useSource(returns);
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    const over = new AbortController();
    const { signal } = over;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async (): Promise<void> => {
      try {
        const value = await latest.current(signal);
        if (!signal.aborted) setState({ key, value });
      } catch (error) {
        if (!signal.aborted)
          setState((before) => ({ key, value: before.key === key ? before.value : undefined, error: error as Error }));
      }
      if (everyMs && !signal.aborted) timer = setTimeout(again, everyMs);
    };
    const again = (): void => {
      clearTimeout(timer);
      if (!document.hidden) void read();
    };
    if (everyMs) document.addEventListener('visibilitychange', again, { signal });
    void read();
    return () => {
      clearTimeout(timer);
      over.abort();
    };
  }, [key, asked, returned, everyMs]);
  const { value, error } = state.key === key ? state : {};
  return { value, error, isLoading: value === undefined && error === undefined, reload: () => setAsked((n) => n + 1) };
};

/** The time now, each second. */
export const useNow = (): number => {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
};
