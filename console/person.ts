/** Who is logged in, and the calls that this person makes. The token and the password are in memory alone: a reload asks again. */
import { ApiError, ClosedError, errorOfAnswer } from '../client/errors.ts';
import { follow, keepOpen } from '../client/events/follow.ts';
import { overHttp, type Reading, streamOrPages } from '../client/events/over-http.ts';
import type { OpenSource } from '../client/events/source.ts';
import { authorized, retrying, type Send } from '../client/send.ts';
import { openSession } from '../client/session.ts';
import type { LaneEvent } from '../client/types.ts';
import { pause } from '../client/wait.ts';
import { apiUrl, watchedFetch } from './away.ts';
import { createSource } from './source.ts';
import type { Overview } from './types.ts';

export type CallOptions = {
  signal?: AbortSignal;
  body?: object;
  key?: string;
  query?: Record<string, unknown>;
  /** The call is made also when the page is closed meanwhile. */
  keepalive?: boolean;
};

/** Whose queue: a user as operators name it. Without one it is the own queue. */
export type Target = string | undefined;

export type Person = {
  name: string;
  call<Body>(method: 'GET' | 'POST' | 'DELETE', path: string, options?: CallOptions): Promise<Body>;
  events(target: Target, options: { after: string; signal: AbortSignal }): AsyncIterable<LaneEvent>;
  /** The overview, and then each time that it has changed. Without an end. */
  overviews(options: { signal: AbortSignal }): AsyncIterable<Overview>;
  close(): void;
};

export const person = createSource<Person | undefined>(undefined);
export const isOperator = createSource(false);
/** The API belongs to a developer, who may try things out. */
export const mayTryIt = createSource(false);
/** What the login page says, such as why the person is there again. */
export const loginNote = createSource('');
/** For a person who lost the operator role. */
export const roleNote = createSource('');

/** What a person does is repeated for so long while the API is away; what a page reads is not: the page tries again by itself. */
const patienceMs = 10_000;

/** The path of a call about a target. */
export const pathOf = (target: Target, path: string): string =>
  target === undefined ? path : `users/${encodeURIComponent(target)}/${path}`;

export const asOperator = (target: Target): Record<string, string> => (target === undefined ? {} : { as: 'operator' });

const urlOf = (path: string, query: Record<string, unknown> = {}): string => {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `${apiUrl}${path}${text ? `?${text}` : ''}`;
};

const answerOf = async <Body>(response: Response): Promise<Body> => {
  const body = await response.json().catch(() => undefined);
  if (!response.ok) throw errorOfAnswer(response, body);
  return body;
};

const requestOf = (method: string, path: string, { body, key, query, signal, keepalive }: CallOptions): Request => {
  const headers = new Headers(body && { 'content-type': 'application/json' });
  if (key !== undefined) headers.set('idempotency-key', key);
  return new Request(urlOf(path, query), { method, headers, signal, keepalive, body: body && JSON.stringify(body) });
};

const ofOverview: Reading<Overview> = {
  ofStream: (_type, _id, data) => data as Overview,
  ofPage(body) {
    const overview = body as Overview;
    return [{ id: overview.version, event: overview, isLast: true }];
  },
};

const pageEveryMs = 1_000;

/** Pages may come from processes that have looked at different moments, so that each differs from the one before. */
const paced = <Event>(open: OpenSource<Event>): OpenSource<Event> =>
  async function* once(query) {
    let isPage = false;
    for await (const incoming of open(query)) {
      isPage = incoming.isLast ?? false;
      yield incoming;
    }
    if (isPage) await pause(pageEveryMs, query.signal);
  };

/** Shows the login page. What the client still does goes on. */
const forget = (note: string): void => {
  loginNote.set(note);
  roleNote.set('');
  isOperator.set(false);
  person.set(undefined);
};

/** Ends the session. What is pending still runs. */
export const logOut = (): void => {
  const client = person.get();
  forget('');
  // Without an answer the session ends by its time.
  void client
    ?.call('POST', 'disconnect', { body: {} })
    .catch(() => undefined)
    .finally(() => client.close());
};

/** What a refused call says about the person, apart from what it says to the page. */
const heed = (error: unknown): void => {
  if (!(error instanceof ApiError) || !person.get()) return;
  const { code, status } = error.problem;
  if (code === 'not-an-operator' && isOperator.get()) {
    isOperator.set(false);
    roleNote.set('Your account does not have the operator role any more. You see your own queue.');
  }
  if (status !== 401) return;
  person.get()?.close();
  forget('Your session has ended, and your password was refused. Log in again.');
};

type Credentials = { username: string; password: string };

const create = (credentials: Credentials, onRefused = heed): { client: Person; start(): Promise<unknown> } => {
  const closing = new AbortController();
  const send = (isPatient: boolean): Send => (isPatient ? retrying(watchedFetch, patienceMs) : watchedFetch);
  const session = openSession(credentials, async (body) =>
    answerOf(await send(false)(requestOf('POST', 'login', { body }))),
  );
  const until = (signal?: AbortSignal): AbortSignal =>
    signal ? AbortSignal.any([signal, closing.signal]) : closing.signal;
  const client: Person = {
    name: credentials.username,
    async call(method, path, options = {}) {
      const request = requestOf(method, path, { ...options, signal: until(options.signal) });
      try {
        return await answerOf(await authorized(send(method !== 'GET'), session)(request));
      } catch (error) {
        onRefused(error);
        throw error;
      }
    },
    async *events(target, { after, signal }) {
      /** The stream of another user is one of operators. */
      const asWhom: Send = (request) => {
        const url = new URL(request.url);
        for (const [name, value] of Object.entries(asOperator(target))) url.searchParams.set(name, value);
        return watchedFetch(new Request(url, request));
      };
      const base = urlOf(pathOf(target, 'events')).replace(/\/events$/, '');
      try {
        yield* follow(overHttp(base, authorized(asWhom, session), { until: 0 }), { after, signal: until(signal) });
      } catch (error) {
        heed(error);
        throw error;
      }
    },
    async *overviews({ signal }) {
      const open = streamOrPages(urlOf('overview'), authorized(watchedFetch, session), { until: 0 }, ofOverview);
      try {
        yield* keepOpen(paced(open), { after: '', signal: until(signal) });
      } catch (error) {
        heed(error);
        throw error;
      }
    },
    close: () => closing.abort(new ClosedError('You have logged out.')),
  };
  return { client, start: () => session.token(closing.signal) };
};

/** Creates an account and returns its calls. They do not depend on who is logged in. @throws {ApiError} */
export const register = async (credentials: Credentials): Promise<Pick<Person, 'call' | 'close'>> => {
  const request = requestOf('POST', 'register', { body: credentials });
  await answerOf(await retrying(watchedFetch, patienceMs)(request));
  return create(credentials, () => undefined).client;
};

/** @throws {ApiError} `invalid-credentials` and others. */
export const logIn = async (credentials: { username: string; password: string }): Promise<void> => {
  const { client, start } = create(credentials);
  await start();
  const overview = await client.call<Overview>('GET', 'overview').catch((error) => {
    if (error instanceof ApiError && error.problem.code === 'not-an-operator') return undefined;
    throw error;
  });
  isOperator.set(overview !== undefined);
  mayTryIt.set(overview?.tryIt === true);
  loginNote.set('');
  person.set(client);
};
