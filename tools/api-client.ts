/** One user of the HTTP API, written as any client would be. The demo and the benchmark use it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** A ledger entry as `GET /requests` shows it. */
export type ShownEntry = {
  seq: number;
  status: string;
  result?: unknown;
  error?: { name: string; message: string };
  attempts?: number;
} & {
  [time in 'acceptedAt' | 'startedAt' | 'retryAt' | 'settledAt']?: string;
};

/** Thrown when the API answers with an error, or not at all: then without `status`. `detail`: what the API says is wrong. */
export class CallError extends Error {
  status: number | undefined;
  detail: string | undefined;
}

/** `token`: of a session, or an API key. `key`: the Idempotency-Key. */
type Call = { token?: string; json?: unknown; key?: string };

const detailIn = (problem: string): string | undefined => {
  try {
    return JSON.parse(problem).detail;
  } catch {
    return undefined;
  }
};

/** Longer than `wait`, which is 20 s at most. */
const callTimeoutMs = 30_000;
const tries = 5;
const pauseMs = 500;

/** The last cause says most: of `fetch failed`, which server refused the connection. */
const reasonOf = ({ cause, message, code, name }: NodeJS.ErrnoException): string =>
  cause ? reasonOf(cause as NodeJS.ErrnoException) : message || code || name;

/** The URL of a path of the API, which may itself be below a path, such as the stage of an API Gateway. */
const urlOf = (apiUrl: string, path: string): string => {
  if (URL.canParse(apiUrl) && /^https?:\/\//.test(apiUrl)) return `${apiUrl.replace(/\/+$/, '')}${path}`;
  throw new Error(
    `"${apiUrl}" is not the URL of an API: it must be such as http://localhost:3000 or https://api.example.com/prod.`,
  );
};

/** @throws {CallError} {Error} when `apiUrl` is not a URL. */
export const callApi = async <T>(apiUrl: string, route: string, { token, json, key }: Call = {}): Promise<T> => {
  const [method, path = ''] = route.split(' ');
  const headers = new Headers({ 'content-type': 'application/json' });
  if (token) headers.set('authorization', `Bearer ${token}`);
  if (key) headers.set('idempotency-key', key);
  const options = { method, headers, body: JSON.stringify(json), signal: AbortSignal.timeout(callTimeoutMs) };
  const response = await fetch(urlOf(apiUrl, path), options).catch((cause) => {
    throw new CallError(`${apiUrl} does not answer (${reasonOf(cause)}).`, { cause });
  });
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  const error = new CallError(`${route} answered ${response.status}: ${text}`);
  throw Object.assign(error, { status: response.status, detail: detailIn(text) });
};

/** Too many pending requests, a server that restarts, a cut connection: the same call may succeed later. */
const mayPass = (error: unknown): boolean =>
  error instanceof CallError && (error.status === undefined || error.status === 429 || error.status >= 500);

const callUntilAnswered = async <T>(...call: Parameters<typeof callApi>): Promise<T> => {
  for (let tried = 1; ; tried += 1) {
    try {
      return await callApi<T>(...call);
    } catch (error) {
      if (tried === tries || !mayPass(error)) throw error;
      await sleep(pauseMs * tried);
    }
  }
};

export type Client = Awaited<ReturnType<typeof connectUser>>;

/** Registers a user and logs in. */
export const connectUser = async (apiUrl: string, username: string) => {
  const json = { username, password: randomUUID() };
  // Many at once are too many for the threads that hash passwords.
  await callUntilAnswered(apiUrl, 'POST /register', { json });
  const { token } = await callUntilAnswered<{ token: string }>(apiUrl, 'POST /login', { json });
  const call = <T>(route: string, given: Call = {}) => callUntilAnswered<T>(apiUrl, route, { token, ...given });
  return {
    username,
    token,
    /** Returns the `seq`. Without an answer it sends the same key again, so that the request is accepted once. */
    enqueue: async (request: unknown): Promise<number> =>
      (await call<{ seq: number }>('POST /enqueue', { json: { request }, key: randomUUID() })).seq,
    queue: () => call<{ accepted: number; settled: number }>('GET /queue'),
    /** The whole ledger, page by page. */
    ledger: async (): Promise<ShownEntry[]> => {
      const entries: ShownEntry[] = [];
      for (let after: number | undefined = 0; after !== undefined; ) {
        const route = `GET /requests?limit=100&after=${after}`;
        const page: { requests: ShownEntry[]; next?: number } = await call(route);
        entries.push(...page.requests);
        after = page.next;
      }
      return entries;
    },
    /** Waits up to 20 s for the end of the queue, and returns the queue's state. */
    disconnect: async (): Promise<string> =>
      (await call<{ queue: string }>('POST /disconnect?wait=20', { json: {} })).queue,
  };
};
