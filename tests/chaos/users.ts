/**
 * Users that register, log in, enqueue, cancel, disconnect and log in again over HTTP. They record the answers that
 * they get.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { monotonicMs } from '../system/monotonic.ts';
import type { Recorder } from '../system/recorder.ts';
import type { Work } from './processor.ts';
import { type Random, seededRandom } from './random.ts';
import { SocketLine } from './socket-line.ts';

type Range = readonly [min: number, max: number];

/** How the users behave. All times are in ms. */
export type Habits = {
  users: number;
  /** The number of requests that a user sends at the same time. */
  burst: Range;
  /** The requests of a burst are spread over this time. */
  spreadMs: number;
  /** The number of bursts before a disconnect. */
  bursts: Range;
  runMs: Range;
  pauseMs: Range;
  /** Whether a user logs in only once, and a new user then takes its place. */
  newcomers: boolean;
  /** How long a user waits for its burst to settle before it sends more. 0: it does not wait. */
  awaitResultMs: number;
  /** The share of requests that crash the process they run in, once or more. */
  crashes: number;
  /** The share of requests that run for `longRunMs`. */
  longRuns: number;
  longRunMs: Range;
  /** Whether users sometimes disconnect while their last burst is still being sent. */
  hasty: boolean;
  /** The share of visits over a WebSocket, which is cut at their end: nobody disconnects. */
  sockets: number;
};

export const usualHabits: Habits = {
  users: 20,
  burst: [1, 5],
  spreadMs: 100,
  bursts: [1, 4],
  runMs: [0, 250],
  pauseMs: [200, 3_000],
  newcomers: false,
  awaitResultMs: 0,
  crashes: 0.003,
  longRuns: 0.01,
  // Longer than a worker that hands a lane over waits for runs, and shorter than `GRACE_MS`.
  longRunMs: [2_000, 4_000],
  hasty: true,
  sockets: 0.3,
};

type ExtraKind = 'long' | 'hanging' | 'large';

export type SentRequest = { userId: string; seq: number };

export type Users = {
  /** The ids of users that have logged in and not disconnected. */
  active(): string[];
  /** Their tokens, by the ids of the users. */
  tokens(): ReadonlyMap<string, string>;
  /**
   * So many of the active users, or all, send `each` more requests (default: 1). `hanging`: its run ignores its signal and
   * goes on past its deadline. `large`: nearly as large as the API accepts. Resolves to the accepted requests.
   */
  send(kind: ExtraKind, count: number, random: Random, each?: number): Promise<SentRequest[]>;
  /** The ids of all users that have ever logged in. */
  ids(): string[];
  /** Ends the run: resolves when every session that the users know of has ended. */
  leave(): Promise<void>;
};

/** Other timers of a worker last for round numbers of ms: by this one a break tells the deadline of a run. */
export const hangDeadlineMs = 1_013;
const padding = 'x'.repeat(250_000);

/** Beyond the deadline plus `GRACE_MS`: by then a worker takes the run for unresponsive. */
const hangMs = [7_000, 8_000] as const;

type Answer = { status: number; body: Record<string, unknown> };
/** `call`: the method and the path. */
type Call = { call: string; body?: unknown; token?: string; key?: string };

const callTimeoutMs = 8_000;
const retryMs = 300;

/** Resolves to `undefined` when there is no answer. The call may still have taken effect. */
const send = async (url: string, { call, body, token, key }: Call): Promise<Answer | undefined> => {
  const [method = '', path = ''] = call.split(' ');
  try {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(token && { authorization: `Bearer ${token}` }),
        ...(key && { 'idempotency-key': key }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(callTimeoutMs),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  } catch {
    return undefined;
  }
};

type TokenPayload = { sub: string; sid: string };

const payloadOf = (token: string): TokenPayload =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as TokenPayload;

type Options = { seed: number; habits: Habits; urls: string[]; record: Recorder };

export const startUsers = ({ seed, habits, urls, record }: Options): Users => {
  const stopping = new AbortController();
  /** The tokens of the active users. */
  const active = new Map<string, string>();
  const ids = new Set<string>();
  const tokens = new Set<string>();
  const seeds = seededRandom(seed);
  let registered = 0;

  /** The WebSockets of the users that have one, by their tokens. */
  const lines = new Map<string, SocketLine>();

  const sendBy = (url: string, call: Call): Promise<Answer | undefined> =>
    (call.token && lines.get(call.token)?.send(url, call)) || send(url, call);

  const rest = (ms: number) => pause(ms, undefined, { signal: stopping.signal }).catch(() => undefined);
  const isStopping = () => stopping.signal.aborted;

  /** Repeats the call until there is a definite answer. With `repeat: false`, calls once. */
  const ask = async (random: Random, call: Call, repeat = true): Promise<Answer | undefined> => {
    for (;;) {
      const answer = await sendBy(random.pick(urls), call);
      if (answer && answer.status < 500 && answer.status !== 429) return answer;
      if (!repeat || isStopping()) return answer;
      await rest(retryMs);
    }
  };

  const workOf = (random: Random): Work => ({
    ms: random.between(...(random.chance(habits.longRuns) ? habits.longRunMs : habits.runMs)),
    ends: random.chance(0.05) ? 'failed' : 'done',
    retries: random.chance(0.08) ? random.between(1, 3) : 0,
    crashes: random.chance(habits.crashes) ? random.between(1, 3) : 0,
  });

  const bodyOf = (kind: ExtraKind, random: Random): { request: Work; timeoutMs?: number } => {
    const ends = { ends: 'done', retries: 0 } as const;
    if (kind === 'large') return { request: { ms: random.between(...habits.runMs), padding, ...ends } };
    if (kind === 'long') return { request: { ms: random.between(...habits.longRunMs), ...ends } };
    return { request: { ms: random.between(...hangMs), isDeaf: true, ...ends }, timeoutMs: hangDeadlineMs };
  };

  const enqueueOnce = async (
    random: Random,
    userId: string,
    call: Call & { token: string },
  ): Promise<number | undefined> => {
    const sentAt = monotonicMs();
    const session = payloadOf(call.token).sid;
    const answer = await ask(random, call, call.key !== undefined);
    const at = monotonicMs();
    if (answer?.status !== 202) {
      record({ kind: 'refused', userId, at, code: answer ? String(answer.body.code) : 'no-answer' });
      return undefined;
    }
    const seq = answer.body.seq as number;
    record({ kind: 'accepted', userId, seq, at, sentAt, session, ...(call.key && { key: call.key }) });
    return seq;
  };

  /** Some requests carry a key, and some of those are sent twice at the same time. */
  const enqueue = async (random: Random, userId: string, token: string): Promise<number | undefined> => {
    await rest(random.between(0, habits.spreadMs));
    const key = random.chance(0.4) ? `key-${random.between(0, 2 ** 40)}` : undefined;
    const call = { call: 'POST /enqueue', body: { request: workOf(random) }, token, key };
    const twice = key !== undefined && random.chance(0.3);
    const answers = await Promise.all([
      enqueueOnce(random, userId, call),
      ...(twice ? [enqueueOnce(random, userId, call)] : []),
    ]);
    return answers.find((seq) => seq !== undefined);
  };

  const cancel = async (random: Random, userId: string, token: string, seq: number): Promise<void> => {
    record({ kind: 'cancel-asked', userId, seq, at: monotonicMs() });
    const answer = await ask(random, { call: `DELETE /requests/${seq}`, token }, false);
    if (answer?.status === 200) record({ kind: 'cancelled', userId, seq, at: monotonicMs() });
  };

  const decide = async (random: Random, userId: string, token: string, seq: number): Promise<void> => {
    const decision = random.chance(0.5) ? 'retry' : 'skip';
    record({ kind: 'decided', userId, seq, decision, at: monotonicMs() });
    await ask(random, { call: `POST /requests/${seq}/${decision}`, token }, false);
  };

  /** Decides about the request that waits for its next attempt, if there is one. The attempt may be about to start. */
  const decideInBackOff = async (random: Random, userId: string, token: string): Promise<void> => {
    const page = await ask(random, { call: 'GET /requests?status=processing', token }, false);
    const [head] = (page?.body.requests ?? []) as { seq: number; retryAt?: string }[];
    if (!head?.retryAt) return;
    if (random.chance(0.4)) await cancel(random, userId, token, head.seq);
    else await decide(random, userId, token, head.seq);
  };

  /** Decides about the request that blocks the user, if there is one. Some are left to the operator. */
  const decideBlocked = async (random: Random, userId: string, token: string): Promise<void> => {
    const blocked = await ask(random, { call: 'GET /requests?status=blocked', token }, false);
    const [head] = (blocked?.body.requests ?? []) as { seq: number }[];
    if (!head || random.chance(0.2)) return;
    await decide(random, userId, token, head.seq);
  };

  /** Retries one of the failed requests. */
  const retryFailed = async (random: Random, userId: string, token: string): Promise<void> => {
    const page = await ask(random, { call: 'GET /requests?status=failed', token }, false);
    const failed = (page?.body.requests ?? []) as { seq: number }[];
    if (failed.length === 0) return;
    const { seq } = random.pick(failed);
    const sentAt = monotonicMs();
    record({ kind: 'decided', userId, seq, decision: 'retry', at: sentAt });
    const answer = await ask(random, { call: `POST /requests/${seq}/retry`, token }, false);
    if (answer?.status !== 202) return;
    const session = payloadOf(token).sid;
    record({ kind: 'accepted', userId, seq: answer.body.seq as number, sentAt, session, at: monotonicMs() });
  };

  const untilSettled = async (random: Random, token: string, seq: number): Promise<void> => {
    const deadline = monotonicMs() + habits.awaitResultMs;
    while (monotonicMs() < deadline && !isStopping()) {
      const answer = await ask(random, { call: `GET /requests/${seq}`, token }, false);
      if (answer && ['done', 'failed', 'cancelled', 'abandoned'].includes(String(answer.body.status))) return;
      await rest(200);
    }
  };

  const sendBurst = async (random: Random, userId: string, token: string): Promise<void> => {
    const count = random.between(...habits.burst);
    const seqs = await Promise.all(Array.from({ length: count }, () => enqueue(random.fork(), userId, token)));
    const last = Math.max(0, ...seqs.filter((seq) => seq !== undefined));
    if (last > 0 && random.chance(0.15)) await cancel(random, userId, token, last);
    if (last > 0 && habits.awaitResultMs > 0) await untilSettled(random, token, last);
    await decideBlocked(random, userId, token);
    if (random.chance(0.5)) await decideInBackOff(random, userId, token);
    if (random.chance(0.1)) await retryFailed(random, userId, token);
  };

  /** Sessions with an unanswered disconnect, which may still take effect at any time. */
  const unsure = new Set<string>();

  const disconnectOnce = async (random: Random, token: string, pending: 'drain' | 'cancel'): Promise<boolean> => {
    const { sub: userId, sid: session } = payloadOf(token);
    record({ kind: 'leaving', userId, session, pending, at: monotonicMs() });
    const call = { call: `POST /disconnect?wait=${random.between(0, 1)}`, body: { pending }, token };
    const answer = await ask(random, call, false);
    const hasLeft = answer !== undefined && answer.status < 500;
    if (!hasLeft) unsure.add(session);
    else if (!unsure.has(session)) record({ kind: 'left', userId, session, at: monotonicMs() });
    return hasLeft;
  };

  const disconnect = async (random: Random, token: string): Promise<void> => {
    const pending = random.chance(0.25) ? 'cancel' : 'drain';
    for (;;) {
      if (await disconnectOnce(random, token, pending)) {
        tokens.delete(token);
        return;
      }
      if (isStopping()) return;
      await rest(retryMs);
    }
  };

  /** The login stays, and must not keep the queue open. A visit that never connected has to disconnect. */
  const hangUp = async (line: SocketLine, token: string): Promise<void> => {
    await line.cut();
    lines.delete(token);
    if (line.hasConnected) tokens.delete(token);
    else await disconnect(seeds.fork(), token);
  };

  const logIn = async (random: Random, credentials: object): Promise<string | undefined> => {
    const answer = await ask(random, { call: 'POST /login', body: credentials });
    if (answer?.status !== 200) return undefined;
    const token = String(answer.body.token);
    tokens.add(token);
    ids.add(payloadOf(token).sub);
    return token;
  };

  /** From a login to a disconnect. The disconnect may overlap the next login. */
  const visit = async (random: Random, credentials: object): Promise<void> => {
    const token = await logIn(random, credentials);
    if (!token) return;
    const userId = payloadOf(token).sub;
    active.set(userId, token);
    // The judge takes a session for ended that may have ended.
    const { sid: session } = payloadOf(token);
    const ended = (at: number) => record({ kind: 'leaving', userId, session, pending: 'drain', at });
    if (random.chance(habits.sockets)) lines.set(token, new SocketLine(token, ended));
    for (let burst = random.between(...habits.bursts); burst > 0 && !isStopping(); burst -= 1) {
      const sending = sendBurst(random, userId, token);
      if (habits.hasty && burst === 1 && random.chance(0.3)) unfinished.push(sending);
      else await sending;
      await rest(random.between(...habits.pauseMs));
    }
    active.delete(userId);
    const line = lines.get(token);
    const leaving = line ? hangUp(line, token) : disconnect(random.fork(), token);
    if (random.chance(0.6)) await leaving;
    else unfinished.push(leaving);
  };

  const unfinished: Promise<void>[] = [];

  const live = async (random: Random): Promise<void> => {
    while (!isStopping()) {
      registered += 1;
      const credentials = { username: `user-${seed}-${registered}`, password: 'correct horse' };
      await ask(random, { call: 'POST /register', body: credentials });
      do await visit(random, credentials);
      while (!isStopping() && !habits.newcomers);
    }
  };

  const lives = Array.from({ length: habits.users }, () => live(seeds.fork()));

  return {
    active: () => [...active.keys()],
    tokens: () => active,
    send: async (kind, count, random, each = 1) => {
      const senders = random.some([...active], count).flatMap((sender) => Array.from({ length: each }, () => sender));
      const sent = await Promise.all(
        senders.map(async ([userId, token]) => {
          const key = `key-${random.between(0, 2 ** 40)}`;
          const call = { call: 'POST /enqueue', body: bodyOf(kind, random), token, key };
          return { userId, seq: await enqueueOnce(random.fork(), userId, call) };
        }),
      );
      return sent.flatMap(({ userId, seq }) => (seq === undefined ? [] : [{ userId, seq }]));
    },
    ids: () => [...ids],
    leave: async () => {
      stopping.abort();
      await Promise.all(lives);
      await Promise.all(unfinished);
      const random = seeds.fork();
      for (let tries = 0; tokens.size > 0 && tries < 20; tries += 1) {
        await Promise.all([...tokens].map((token) => disconnect(random.fork(), token)));
        if (tokens.size > 0) await pause(retryMs);
      }
    },
  };
};
