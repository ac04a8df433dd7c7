/** One user of the HTTP API, as any client would be written. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ShownEntry } from './verdict.ts';

/** Thrown when the API answers something else than was hoped for. */
export class CallError extends Error {
  readonly status: number;
  constructor(call: string, status: number, text: string) {
    super(`${call} answered ${status}: ${text.slice(0, 300)}`);
    this.name = 'CallError';
    this.status = status;
  }
}

/** Thrown when nothing answers. */
export class UnreachableError extends Error {
  constructor(apiUrl: string, cause: unknown) {
    super(`${apiUrl} does not answer.`, { cause });
    this.name = 'UnreachableError';
  }
}

type Call = { method: 'GET' | 'POST'; path: string; token?: string; json?: unknown; key?: string };

/** Longer than `wait`, which is 20 s at most. */
const callTimeoutMs = 30_000;

const callApi = async (apiUrl: string, { method, path, token, json, key }: Call): Promise<unknown> => {
  const headers = {
    ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(key === undefined ? {} : { 'idempotency-key': key }),
  };
  const body = json === undefined ? undefined : JSON.stringify(json);
  const signal = AbortSignal.timeout(callTimeoutMs);
  const response = await fetch(new URL(path, apiUrl), { method, headers, body, signal }).catch((cause) => {
    throw new UnreachableError(apiUrl, cause);
  });
  const text = await response.text();
  if (!response.ok) throw new CallError(`${method} ${path}`, response.status, text);
  return JSON.parse(text);
};

const tries = 5;
const pauseMs = 500;

/** Too many pending, a server that restarts, a cut connection: the same call may succeed later. */
const mayPass = (error: unknown): boolean =>
  error instanceof UnreachableError || (error instanceof CallError && (error.status === 429 || error.status >= 500));

const persistently = async <T>(call: () => Promise<T>): Promise<T> => {
  for (let tried = 1; ; tried += 1) {
    try {
      return await call();
    } catch (error) {
      if (tried === tries || !mayPass(error)) throw error;
      await sleep(pauseMs * tried);
    }
  }
};

/** @throws {UnreachableError} when nothing answers there; {CallError} when its servers do not answer it. */
export const checkApi = async (apiUrl: string): Promise<void> => {
  await callApi(apiUrl, { method: 'GET', path: '/health' });
};

type Page = { requests: ShownEntry[]; next?: number };

export type Client = {
  username: string;
  /** Returns the `seq`. Sends the same key again when it got no answer, so that the request is accepted once. */
  enqueue(request: unknown): Promise<number>;
  /** The ledger above `after`: one page. */
  page(after: number): Promise<Page>;
  /** The whole ledger, page by page. */
  ledger(): Promise<ShownEntry[]>;
  /** Waits until the queue is gone, 20 s at most, and returns what became of it. */
  disconnect(): Promise<string>;
};

/** Registers a user and logs in. */
export const connectUser = async (apiUrl: string, username: string): Promise<Client> => {
  const credentials = { username, password: randomUUID() };
  await callApi(apiUrl, { method: 'POST', path: '/register', json: credentials });
  const login = await callApi(apiUrl, { method: 'POST', path: '/login', json: credentials });
  const { token } = login as { token: string };
  const pageAfter = (after: number) =>
    persistently(async () => {
      const page = await callApi(apiUrl, { method: 'GET', path: `/requests?limit=100&after=${after}`, token });
      return page as Page;
    });
  return {
    username,
    enqueue: async (request) => {
      const key = randomUUID();
      const call: Call = { method: 'POST', path: '/enqueue', token, json: { request }, key };
      const accepted = await persistently(() => callApi(apiUrl, call));
      return (accepted as { seq: number }).seq;
    },
    page: pageAfter,
    ledger: async () => {
      const entries: ShownEntry[] = [];
      for (let after: number | undefined = 0; after !== undefined; ) {
        const page: Page = await pageAfter(after);
        entries.push(...page.requests);
        after = page.next;
      }
      return entries;
    },
    disconnect: async () => {
      const call: Call = { method: 'POST', path: '/disconnect?wait=20', token, json: {} };
      return ((await persistently(() => callApi(apiUrl, call))) as { queue: string }).queue;
    },
  };
};
