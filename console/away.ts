/** Whether the API answers, and since when it does not. Every call reports here; while the API is away it is asked each second. */
import { pause } from '../client/wait.ts';
import { createSource } from './source.ts';

export type Away = { since: Date; text: string };

/** The address of the API: the console is at `/console` below it. */
export const apiUrl = new URL('.', document.baseURI).href;

export const away = createSource<Away | undefined>(undefined);
/** Counts how often the API came back: what is shown is read again then. */
export const returns = createSource(0);

const askEveryMs = 1_000;
const askForMs = 4_000;

const apiAway = 'The API does not answer.';
const storeAway = 'MongoDB does not answer the API.';

let isAsking = false;

/** What keeps calls from being answered. `undefined` when nothing does. */
const look = async (): Promise<string | undefined> => {
  try {
    const response = await fetch(`${apiUrl}health`, { signal: AbortSignal.timeout(askForMs), cache: 'no-store' });
    const { mongodb } = await response.json();
    return mongodb?.ok ? undefined : storeAway;
  } catch {
    return apiAway;
  }
};

const askUntilBack = async (): Promise<void> => {
  if (isAsking) return;
  isAsking = true;
  for (;;) {
    await pause(askEveryMs, new AbortController().signal);
    const text = await look();
    const { since = new Date() } = away.get() ?? {};
    if (text === undefined) break;
    if (away.get()?.text !== text) away.set({ since, text });
  }
  isAsking = false;
  away.set(undefined);
  returns.set(returns.get() + 1);
};

export const reportAway = (text = apiAway): void => {
  if (!away.get()) away.set({ since: new Date(), text });
  void askUntilBack();
};

const awayCodes: Record<string, string> = {
  'store-unavailable': storeAway,
  draining: 'The API is being stopped.',
};

/** Sends, and reports what says that the API or its store is away. */
export const watchedFetch = async (request: Request): Promise<Response> => {
  let response: Response;
  try {
    response = await fetch(request);
  } catch (error) {
    if (!request.signal.aborted) reportAway();
    throw error;
  }
  if (response.status >= 502) {
    const body = await response
      .clone()
      .json()
      .catch(() => undefined);
    const text = body ? awayCodes[body.code] : apiAway;
    if (text) reportAway(text);
  }
  return response;
};
