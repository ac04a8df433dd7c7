/** `connect`: a client of the HTTP API, for one user. */

import createApi from 'openapi-fetch';
import type { paths } from './api.ts';
import type { CancelledPart } from './cancel-all.ts';
import { type Calls, createClient } from './client.ts';
import { errorOfAnswer } from './errors.ts';
import { follow } from './events/follow.ts';
import { overHttp } from './events/over-http.ts';
import { overWebSocket } from './events/over-websocket.ts';
import type { OpenSource } from './events/source.ts';
import { authorized, retrying, type Send } from './send.ts';
import { type Credentials, openSession } from './session.ts';
import type { Accepted, CallOptions, LanekeeperClient } from './types.ts';

export type ConnectOptions = {
  /**
   * How events come. `http` (the default): Server-Sent Events, or calls that wait where those do not come through. `websocket`: the
   * connection is also a session, so that the queue is drained and deleted when it ends and the user has no other session.
   */
  transport?: 'http' | 'websocket';
  /** Where it is not `/ws` below the API, as on AWS. */
  websocketUrl?: string;
  /** How long a call without an answer, or with one that asks to wait, is repeated. Default 60,000. */
  giveUpAfterMs?: number;
  fetch?: (request: Request) => Promise<Response>;
};

const usualGiveUpMs = 60_000;
const usualFetch: Send = (request) => fetch(request);

/** The URL of the API without a slash at its end; it may be below a path. In a browser it may be relative. */
const baseOf = (url: string | URL): string => {
  const { location } = globalThis as { location?: { href: string } };
  return new URL(url, location?.href).href.replace(/\/+$/, '');
};

/** @throws {ApiError} when the call was refused. */
const bodyOf = async <Body>(answered: Promise<{ data?: Body; error?: unknown; response: Response }>): Promise<Body> => {
  const { data, error, response } = await answered;
  if (response.ok) return data as Body;
  throw errorOfAnswer(response, error);
};

const openApi = (baseUrl: string, send: Send) => createApi<paths>({ baseUrl, fetch: send });

/**
 * Creates an account.
 *
 * @throws {ApiError} `username-taken`, `weak-password`, `registration-closed` and others.
 */
export const register = async (
  url: string | URL,
  account: { username: string; password: string; invite?: string },
  { signal, giveUpAfterMs = usualGiveUpMs }: CallOptions & Pick<ConnectOptions, 'giveUpAfterMs'> = {},
): Promise<void> => {
  const api = openApi(baseOf(url), retrying(usualFetch, giveUpAfterMs));
  await bodyOf(api.POST('/register', { body: account, signal }));
};

const callsOf = (api: ReturnType<typeof openApi>, open: OpenSource): Calls => ({
  async enqueue({ key, ...body }, until) {
    const params = { header: { 'Idempotency-Key': key } };
    return (await bodyOf(api.POST('/enqueue', { params, body, ...until }))) as Accepted;
  },
  async enqueueMany(requests, until) {
    const answer = await bodyOf(api.POST('/enqueue', { body: { requests }, ...until }));
    return (answer as { results: Accepted[] }).results;
  },
  state: (seq, until) => bodyOf(api.GET('/requests/{seq}', { params: { path: { seq } }, ...until })),
  cancel: (seq, until) => bodyOf(api.DELETE('/requests/{seq}', { params: { path: { seq } }, ...until })),
  async cancelAll(upTo, until) {
    const answer = await bodyOf(api.POST('/requests/cancel', { body: { all: true, upTo }, ...until }));
    return answer as CancelledPart;
  },
  requests: (query, until) => bodyOf(api.GET('/requests', { params: { query }, ...until })),
  queue: (until) => bodyOf(api.GET('/queue', until)),
  follow: (options) => follow(open, options),
  disconnect: ({ pending, waitSeconds }, until) =>
    bodyOf(api.POST('/disconnect', { params: { query: { wait: waitSeconds } }, body: { pending }, ...until })),
});

/**
 * Logs in, unless a token is given, and returns the client of the user.
 *
 * @throws {ApiError} `invalid-credentials` and others.
 * @throws {UnreachableError}
 */
export const connect = async (
  url: string | URL,
  credentials: Credentials,
  { transport = 'http', websocketUrl, giveUpAfterMs = usualGiveUpMs, fetch: plain = usualFetch }: ConnectOptions = {},
): Promise<LanekeeperClient> => {
  const root = baseOf(url);
  // Every call of a user is also there below its reference.
  const base = 'key' in credentials ? `${root}/users/${encodeURIComponent(credentials.user)}` : root;
  const closing = new AbortController();
  const { signal } = closing;
  const patient = retrying(plain, giveUpAfterMs);
  const publicApi = openApi(root, patient);
  const session = openSession(credentials, (body) => bodyOf(publicApi.POST('/login', { body, signal })));
  const api = openApi(base, authorized(patient, session));
  const isSocket = transport === 'websocket';
  if (isSocket && 'key' in credentials)
    throw new TypeError('A WebSocket needs the token of a session, not an API key.');
  const open = isSocket
    ? overWebSocket({
        url: websocketUrl ?? `${root.replace(/^http/, 'ws')}/ws`,
        session,
        check: (until) => bodyOf(api.GET('/queue', { signal: until })),
      })
    : overHttp(base, authorized(plain, session), { until: 0 });
  if ('username' in credentials) await session.token(signal);
  return createClient(callsOf(api, open), { closing, stayConnected: isSocket });
};
