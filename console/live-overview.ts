/** The overview, live: one connection for all pages of an operator, while somebody looks. It also says when lists must be read again. */
import { returns } from './away.ts';
import { isOperator, type Person, person } from './person.ts';
import { createSource, useSource } from './source.ts';
import type { Overview } from './types.ts';
import { type ReadAgain, useNow } from './use-data.ts';

/** `skewMs`: how far the clock of the servers is ahead. */
type Live = { value?: Overview; error?: Error; skewMs: number };

const nothing: Live = { skewMs: 0 };

const live = createSource(nothing);

const follow = async (client: Person, signal: AbortSignal): Promise<void> => {
  try {
    for await (const value of client.overviews({ signal }))
      live.set({ value, skewMs: Date.parse(value.at) - Date.now() });
  } catch (error) {
    if (!signal.aborted) live.set({ ...live.get(), error: error as Error });
  }
};

/** Follows the overview while an operator is logged in and the page is visible. Call it once. */
export const watchOverview = (): void => {
  let over = new AbortController();
  const again = (): void => {
    over.abort();
    over = new AbortController();
    const client = person.get();
    if (!client || !isOperator.get()) live.set(nothing);
    else if (!document.hidden) void follow(client, over.signal);
  };
  for (const source of [person, isOperator, returns]) source.subscribe(again);
  document.addEventListener('visibilitychange', again);
};

export const useLiveOverview = (): Live & { isLoading: boolean } => {
  const { value, error, skewMs } = useSource(live);
  return { value, error: value ? undefined : error, skewMs, isLoading: !value && !error };
};

/** The time now by the clock of the servers, each second. */
export const useServerNow = (): number => useNow() + useSource(live).skewMs;

/** A change that the overview does not report is found after this time. */
const anywayMs = 30_000;
/** Without an overview. */
const untoldMs = 5_000;
/** For one user: the overview does not report the user's place among those that wait for a slot. */
const waitingMs = 10_000;

/** When to read a list of all users again. */
export const useChangesOf = (list: keyof Overview['changes']): ReadAgain => {
  const now = useSource(live);
  return { news: now.value?.changes[list], everyMs: now.value && !now.error ? anywayMs : untoldMs };
};

/** When to read again which lanes have moved. */
export const useChangesOfLanes = (): ReadAgain => {
  const { value } = useSource(live);
  return { news: value?.lanes.map(({ owner }) => owner).join(), everyMs: anywayMs };
};

/** When to read a user again, apart from its events: when what else its verdict rests on has changed. */
export const useChangesFor = (pending: number): ReadAgain => {
  const now = useSource(live);
  const { problems = [], workers = [], lanes = [] } = now.value ?? {};
  const news = JSON.stringify([
    problems.map(({ code }) => code),
    workers.map(({ state }) => state),
    lanes.map(({ owner }) => owner),
  ]);
  return { news, everyMs: pending > 0 ? waitingMs : anywayMs };
};
