/** What a page reads: again when it asks, when something says that it has changed, each so often while it is visible, and when the API is back. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { returns } from './away.ts';
import { useSource } from './source.ts';

export type Data<Value> = { value?: Value; error?: Error; isLoading: boolean; reload(): void };

/** `news`: a text that changes when the data may have changed. */
export type ReadAgain = { everyMs?: number; news?: string };

/** News come each second while much happens. */
const newsEveryMs = 2_500;
const never = Number.POSITIVE_INFINITY;

/** Calls back once, at the earliest of the times that it was given. */
const createAlarm = (ring: () => void) => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let dueAt = never;
  const clear = (): void => {
    clearTimeout(timer);
    dueAt = never;
  };
  const setFor = (at: number): void => {
    if (at >= dueAt) return;
    clear();
    dueAt = at;
    timer = setTimeout(
      () => {
        dueAt = never;
        ring();
      },
      Math.max(0, at - Date.now()),
    );
  };
  return { setFor, clear };
};

type State<Value> = { key: string; value?: Value; error?: Error };

export const useData = <Value>(
  load: (signal: AbortSignal) => Promise<Value>,
  key: string,
  { everyMs = never, news }: ReadAgain = {},
): Data<Value> => {
  const [state, setState] = useState<State<Value>>({ key });
  const [asked, setAsked] = useState(0);
  const returned = useSource(returns);
  const latest = useRef({ load, everyMs, news });
  latest.current = { load, everyMs, news };
  /** The last read: when it began, `news` at that time, and how to read again sooner. */
  const last = useRef<{ at: number; news?: string; readBy(at: number): void }>(undefined);
  useEffect(() => {
    const over = new AbortController();
    const { signal } = over;
    let reads = 0;
    let shown = 0;
    const read = async (): Promise<void> => {
      alarm.clear();
      last.current = { at: Date.now(), news: latest.current.news, readBy: alarm.setFor };
      reads += 1;
      const turn = reads;
      /** A slow answer may come after that of a later read. */
      const show = (change: (before: State<Value>) => State<Value>): void => {
        if (signal.aborted || turn < shown) return;
        shown = turn;
        setState(change);
      };
      try {
        const value = await latest.current.load(signal);
        show(() => ({ key, value }));
      } catch (error) {
        show((before) => ({ key, value: before.key === key ? before.value : undefined, error: error as Error }));
      }
      const { everyMs } = latest.current;
      if (everyMs !== never && !signal.aborted) alarm.setFor(Date.now() + everyMs);
    };
    const again = (): void => {
      if (!document.hidden) void read();
    };
    const alarm = createAlarm(again);
    if (latest.current.everyMs !== never) document.addEventListener('visibilitychange', again, { signal });
    void read();
    return () => {
      alarm.clear();
      over.abort();
    };
  }, [key, asked, returned]);
  useEffect(() => {
    const read = last.current;
    if (!read) return;
    if (news !== read.news) read.readBy(read.at + newsEveryMs);
    if (everyMs !== never) read.readBy(Date.now() + everyMs);
  }, [news, everyMs]);
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
