/**
 * The simulation's stand-in for MongoDB: the ports in memory. Every operation is one atomic step; in `notClosed` each page is a
 * step, in `commit` each change. The caller's `step` decides when the operation happens, whether its answer arrives, and whether
 * the caller is alive to receive it. All data is copied on its way in and out.
 */

import { isDeepStrictEqual } from 'node:util';
import type { ChangeResult, LedgerChange, Said } from '../ledger-change.ts';
import type {
  Account,
  AccountStore,
  DeadLetterQuery,
  Heartbeat,
  KeyStore,
  LaneMove,
  LaneStore,
  LedgerStore,
  MinuteCounts,
  NewEntry,
  StalledUserCursor,
  TicketDemand,
  TimeSpan,
  UserCursor,
  UserQueueStore,
  WorkerStore,
} from '../ports.ts';
import { permanentSession } from '../references.ts';
import { endsWith, isKeptOpen, isLiveSession, type Session } from '../sessions.ts';
import { attemptEndOf, maxLoggedAttempts } from '../store/attempt-log.ts';
import { countsOf, isApplied } from '../store/changes.ts';
import { queuedEntry } from '../store/entries.ts';
import { createTicketTaker } from '../store/ticket-taker.ts';
import {
  claimableStatuses,
  type DeadLetter,
  type EntryHead,
  type EntryId,
  isInBackOff,
  type LedgerEntry,
  pendingStatuses,
  settledStatuses,
  type Ticket,
  type TicketRefusal,
  type UserQueue,
  type WorkEntry,
} from '../types.ts';
import { type MemoryKey, memoryKeyStore } from './memory-keys.ts';
import { type MemoryOutcome, memoryTicketServer } from './memory-tickets.ts';

/** Runs `operate` once, at a time of its choice. A rejection means that the server did not answer, before or after the effect. */
export type Step = <T>(name: string, operate: () => T) => Promise<T>;

/** The server's data. Several stores, one for each simulated process, may share it. */
export type MemoryDatabase = {
  accounts: Map<string, Account>;
  apiKeys: Map<string, MemoryKey>;
  userQueues: Map<string, UserQueue>;
  /** By user: the last outcome of a ticket that was taken in a bulk. */
  outcomes: Map<string, MemoryOutcome>;
  /** Users that a sweep need not look at, as the field `quiet` in MongoDB. */
  quiet: Set<string>;
  entries: Map<string, LedgerEntry>;
  leases: Map<number, number>;
  /** The worker that has taken the lease of each lane, until another one takes the lane away. */
  owners: Map<number, string>;
  /** The last moves of each lane. */
  moves: Map<number, LaneMove[]>;
  heartbeats: Map<string, Heartbeat>;
  minutes: Map<number, MinuteCounts>;
  /** If set, records the changes that were made, in their order. */
  journal?: LedgerChange[];
};

export type MemoryStores = {
  accounts: AccountStore;
  apiKeys: KeyStore;
  userQueues: UserQueueStore;
  ledger: LedgerStore;
  lanes: LaneStore;
  workers: WorkerStore;
  database: MemoryDatabase;
};

export const createMemoryDatabase = (): MemoryDatabase => ({
  accounts: new Map(),
  apiKeys: new Map(),
  userQueues: new Map(),
  outcomes: new Map(),
  quiet: new Set(),
  entries: new Map(),
  leases: new Map(),
  owners: new Map(),
  moves: new Map(),
  heartbeats: new Map(),
  minutes: new Map(),
});

const direct: Step = (_name, operate) => Promise.resolve().then(operate);

/** Small, so that loading a lane takes several steps. */
const pageSize = 2;

const entryId = ({ userId, seq }: { userId: string; seq: number }) => `${userId}:${seq}`;
const isOneOf = (statuses: readonly string[], { status }: LedgerEntry) => statuses.includes(status);
const isPending = (entry: LedgerEntry) => isOneOf(pendingStatuses, entry);

const accountStore = ({ accounts }: MemoryDatabase, step: Step): AccountStore => ({
  create: (username, passwordHash) =>
    step('accounts.create', () => {
      const name = username.toLowerCase();
      if (accounts.has(name)) return undefined;
      const userId = (accounts.size + 1).toString(16).padStart(24, '0');
      accounts.set(name, { userId, username, passwordHash, role: 'user' });
      return userId;
    }),
  findByUsername: (username) =>
    step('accounts.findByUsername', () => structuredClone(accounts.get(username.toLowerCase()))),
  find: (userId) =>
    step('accounts.find', () => structuredClone([...accounts.values()].find((account) => account.userId === userId))),
  usernames: (userIds) =>
    step('accounts.usernames', () => {
      const found = [...accounts.values()].filter(({ userId }) => userIds.includes(userId));
      return new Map(found.map(({ userId, username }) => [userId, username]));
    }),
  operators: (userIds) =>
    step('accounts.operators', () => {
      const found = [...accounts.values()].filter(
        ({ userId, role }) => role === 'operator' && userIds.includes(userId),
      );
      return new Set(found.map(({ userId }) => userId));
    }),
  replacePasswordHash: (userId, from, to) =>
    step('accounts.replacePasswordHash', () => {
      const account = [...accounts.values()].find((one) => one.userId === userId);
      if (account?.passwordHash !== from) return false;
      account.passwordHash = to;
      return true;
    }),
  setRole: (username, role) =>
    step('accounts.setRole', () => {
      const account = accounts.get(username.toLowerCase());
      if (account) account.role = role;
      return account !== undefined;
    }),
});

const workerStore = ({ heartbeats, minutes }: MemoryDatabase, step: Step): WorkerStore => ({
  report: (heartbeat) =>
    step('workers.report', () => {
      heartbeats.set(heartbeat.workerId, structuredClone(heartbeat));
    }),
  remove: (workerId) =>
    step('workers.remove', () => {
      heartbeats.delete(workerId);
    }),
  all: () => step('workers.all', () => structuredClone([...heartbeats.values()])),
  addToMinute: (at, { waits, ...counts }) =>
    step('workers.addToMinute', () => {
      const before = minutes.get(at.getTime());
      const sum = (name: keyof typeof counts) => (before?.[name] ?? 0) + counts[name];
      minutes.set(at.getTime(), {
        ...{ started: sum('started'), done: sum('done'), failed: sum('failed') },
        waits: waits.map((count, bucket) => count + (before?.waits[bucket] ?? 0)),
      });
    }),
  minutes: (since) =>
    step('workers.minutes', () =>
      [...minutes]
        .filter(([at]) => at >= since.getTime())
        .sort(([one], [other]) => one - other)
        .map(([at, counts]) => ({ at: new Date(at), counts: structuredClone(counts) })),
    ),
});

/** As many as MongoDB keeps. */
const maxMoves = 20;

const laneStore = ({ leases, owners, moves }: MemoryDatabase, step: Step): LaneStore => ({
  takeLease: (lane, workerId, now) =>
    step(`lanes.takeLease ${lane}`, () => {
      const lease = (leases.get(lane) ?? 0) + 1;
      leases.set(lane, lease);
      owners.set(lane, workerId);
      const move = { lease, owner: workerId, at: new Date(now) };
      moves.set(lane, [...(moves.get(lane) ?? []), move].slice(-maxMoves));
      return lease;
    }),
  takeAway: (lane, workerId) =>
    step(`lanes.takeAway ${lane}`, () => owners.get(lane) === workerId && owners.delete(lane)),
  giveBack: (lane, workerId) =>
    step(`lanes.giveBack ${lane}`, () => {
      if (leases.has(lane) && !owners.has(lane)) owners.set(lane, workerId);
    }),
  leases: (lanes) => step(`lanes.leases ${lanes}`, () => new Map(lanes.map((lane) => [lane, leases.get(lane) ?? 0]))),
  known: () => step('lanes.known', () => [...leases.keys()].sort((a, b) => a - b)),
  all: () =>
    step('lanes.all', () =>
      [...leases]
        .sort(([one], [other]) => one - other)
        .map(([lane, lease]) => {
          const owner = owners.get(lane);
          return structuredClone({ lane, lease, ...(owner && { owner }), moves: moves.get(lane) ?? [] });
        }),
    ),
  moves: (lane) => step(`lanes.moves ${lane}`, () => structuredClone(moves.get(lane) ?? [])),
});

const newUserQueue = (userId: string, lane: number, updatedAt: Date, user?: string): UserQueue => ({
  userId,
  ...(user === undefined ? {} : { user }),
  lane,
  sessions: [],
  state: 'closed',
  accepted: 0,
  settled: 0,
  updatedAt,
});

const isIn = ({ from, to }: TimeSpan, time: Date): boolean => time >= from && time <= to;

const byUserId = (a: Pick<UserQueue, 'userId'>, b: Pick<UserQueue, 'userId'>) =>
  a.userId === b.userId ? 0 : a.userId < b.userId ? -1 : 1;
const byUpdate = (a: StalledUserCursor, b: StalledUserCursor) =>
  a.updatedAt.getTime() - b.updatedAt.getTime() || byUserId(a, b);

const byUserAndSeq = (a: EntryId, b: EntryId) => byUserId(a, b) || a.seq - b.seq;

const unlimited: TicketDemand = { bytes: 0, maxPending: Infinity, maxPendingBytes: Infinity };
const permanent = [permanentSession];

const userQueueStore = (database: MemoryDatabase, step: Step): UserQueueStore => {
  const { userQueues, quiet } = database;
  const take = createTicketTaker(memoryTicketServer(database, step));
  const create = (userId: string, lane: number, updatedAt: Date, user?: string): UserQueue => {
    const userQueue = userQueues.get(userId) ?? newUserQueue(userId, lane, updatedAt, user);
    userQueues.set(userId, userQueue);
    return userQueue;
  };
  const all = () => [...userQueues.values()].sort(byUserId);

  const isIdle = ({ state, sessions, settled, accepted }: UserQueue) =>
    state === 'open' && sessions.some(({ keepsQueue = true }) => keepsQueue) && settled >= accepted;

  /** A step of its own, as on the real server: a ticket may have come in between. */
  const noteQuiet = (idle: Pick<UserQueue, 'userId' | 'accepted'>[]) =>
    step(`userQueues.noteQuiet ${idle.map(({ userId }) => userId)}`, () => {
      for (const { userId, accepted } of idle) {
        const userQueue = userQueues.get(userId);
        if (userQueue && isIdle(userQueue) && userQueue.accepted === accepted) quiet.add(userId);
      }
    });

  return {
    create: (userId, lane, now, user) =>
      step(`userQueues.create ${userId}`, () => {
        create(userId, lane, new Date(now), user);
      }),

    addSession: (userId, session, lane, maxSessions, user) =>
      step(`userQueues.addSession ${userId}`, () => {
        const userQueue = create(userId, lane, new Date(0), user);
        const { sessions } = userQueue;
        if (sessions.some(({ id }) => id === session.id)) return;
        if (user !== undefined) userQueue.user = user;
        const logins = [...sessions.filter(({ login }) => !login), structuredClone(session)].slice(-maxSessions);
        const connections = sessions.filter(({ login }) => logins.some(({ id }) => id === login));
        userQueue.sessions = [...connections, ...logins];
      }),

    addConnection: (userId, session, maxConnections, now) =>
      step(`userQueues.addConnection ${userId}`, () => {
        const userQueue = userQueues.get(userId);
        const isLive = ({ expiresAt }: Session) => expiresAt > now;
        const login = userQueue?.sessions.find((one) => one.id === session.login && isLive(one));
        if (!userQueue || !login) return 'login-ended';
        const others = userQueue.sessions.filter((one) => one.id !== session.id && (!one.login || isLive(one)));
        if (others.filter((one) => one.login).length >= maxConnections) return 'too-many';
        login.keepsQueue = false;
        userQueue.sessions = [...others, structuredClone(session)];
        return 'added';
      }),

    extendSessions: (sessions, expiresAt) =>
      step(`userQueues.extendSessions ${sessions.map(({ sessionId }) => sessionId)}`, () => {
        const users = sessions.flatMap(({ userId }) => userQueues.get(userId) ?? []);
        const found = users.flatMap((user) => user.sessions);
        for (const session of found)
          if (sessions.some(({ sessionId }) => sessionId === session.id)) session.expiresAt = new Date(expiresAt);
        return new Set(found.map(({ id }) => id));
      }),

    endOtherSessions: (userId, sessionId, now) =>
      step(`userQueues.endOtherSessions ${userId}`, () => {
        const userQueue = userQueues.get(userId);
        const isLive = userQueue !== undefined && isLiveSession(userQueue, now, sessionId);
        if (isLive) userQueue.sessions = userQueue.sessions.filter((session) => endsWith(session, sessionId));
        return isLive;
      }),

    removeSession: (userId, sessionId) =>
      step(`userQueues.removeSession ${userId}`, () => {
        const userQueue = userQueues.get(userId);
        if (userQueue) userQueue.sessions = userQueue.sessions.filter((session) => !endsWith(session, sessionId));
        quiet.delete(userId);
        return structuredClone(userQueue);
      }),

    takeTicket: (userId, sessionId, now, demand = unlimited) => take({ userId, sessionId, now, demand }),

    // Three steps, as on the real server: others may come in between.
    takeTicketByReference: async ({ userId, user, lane }, now, demand = unlimited) => {
      const ask = { userId, sets: permanent, now, demand };
      const taken = await take(ask);
      if (taken) return taken;
      await step(`userQueues.create ${userId}`, () => void create(userId, lane, new Date(0), user));
      return (await take(ask)) as Ticket | TicketRefusal;
    },

    noteCounted: (userId, { requests, bytes }, countAgainAt) =>
      step(`userQueues.noteCounted ${userId} ${requests}`, () => {
        const userQueue = userQueues.get(userId);
        if (!userQueue) return;
        userQueue.countedSettled = Math.max(userQueue.countedSettled ?? 0, requests);
        userQueue.countedBytes = Math.max(userQueue.countedBytes ?? 0, bytes);
        userQueue.countAgainAt = countAgainAt.getTime();
      }),

    get: (userIds) =>
      step(`userQueues.get ${userIds}`, () => structuredClone(all().filter(({ userId }) => userIds.includes(userId)))),

    page: ({ show, lane, name, after, limit }) =>
      step('userQueues.page', () => {
        const isWanted = (one: UserQueue) =>
          (lane === undefined || one.lane === lane) &&
          (name === undefined
            ? show === 'all' || (one.state === 'open' && !quiet.has(one.userId))
            : one.user?.startsWith(name) === true);
        const byName = (a: UserCursor, b: UserCursor) =>
          a.user === b.user ? byUserId(a, b) : a.user! < b.user! ? -1 : 1;
        const isByUpdate = show === 'waiting' && lane === undefined;
        const order = name === undefined ? (isByUpdate ? byUpdate : byUserId) : byName;
        const found = all().filter(isWanted).sort(order);
        return structuredClone(found.filter((one) => !after || order(after, one) < 0).slice(0, limit));
      }),

    lastTickets: (lanes) =>
      step(`userQueues.lastTickets lanes ${lanes}`, () => {
        const open = all().filter(({ lane, state }) => lanes.includes(lane) && state === 'open');
        return new Map(
          open.filter(({ userId }) => !quiet.has(userId)).map(({ userId, accepted }) => [userId, accepted]),
        );
      }),

    notClosed: async function* (lane) {
      let after = '';
      for (;;) {
        const page = await step(`userQueues.notClosed lane ${lane}`, () => {
          const rest = all().filter((one) => one.lane === lane && one.state !== 'closed' && one.userId > after);
          return structuredClone(rest.slice(0, pageSize));
        });
        if (page.length > 0) yield page;
        const last = page.at(-1);
        if (!last || page.length < pageSize) return;
        after = last.userId;
      }
    },

    beginClose: (userId, accepted, onlyWithoutSession, now) =>
      step(`userQueues.beginClose ${userId}`, () => {
        const userQueue = userQueues.get(userId);
        if (userQueue?.state !== 'open' || userQueue.accepted !== accepted) return false;
        if (onlyWithoutSession && isKeptOpen(userQueue, now)) return false;
        Object.assign(userQueue, { state: 'closing', settled: accepted, updatedAt: new Date(now) });
        quiet.delete(userId);
        return true;
      }),

    endClose: (userId, accepted, now) =>
      step(`userQueues.endClose ${userId}`, () => {
        const userQueue = userQueues.get(userId);
        if (userQueue?.state !== 'closing' || userQueue.accepted !== accepted) return false;
        Object.assign(userQueue, {
          state: 'closed',
          updatedAt: new Date(now),
          queueRefused: undefined,
          lent: undefined,
        });
        return true;
      }),

    flushSettled: (progress, now) =>
      step(`userQueues.flushSettled ${progress.map(({ userId, settled }) => `${userId}:${settled}`)}`, () => {
        for (const { userId, settled, settledBytes = 0, advanced } of progress) {
          const userQueue = userQueues.get(userId);
          if (!userQueue) continue;
          userQueue.settled = Math.max(userQueue.settled, settled);
          if (settledBytes) userQueue.settledBytes = Math.max(userQueue.settledBytes ?? 0, settledBytes);
          userQueue.vouchedAt = new Date(now);
          if (advanced) userQueue.updatedAt = new Date(now);
        }
      }),

    noteQueueRefused: (userId, refused) =>
      step(`userQueues.noteQueueRefused ${userId} ${refused}`, () => {
        const userQueue = userQueues.get(userId);
        if (userQueue) userQueue.queueRefused = refused || undefined;
      }),

    noteLent: (loans) =>
      step(`userQueues.noteLent ${loans.map(({ userId, seq, token }) => `${userId}:${seq} ${token}`)}`, () => {
        for (const { userId, ...lent } of loans) {
          const userQueue = userQueues.get(userId);
          if (userQueue && (userQueue.lent?.token ?? 0) <= lent.token) userQueue.lent = structuredClone(lent);
        }
      }),

    dropExpiredSessions: (now) =>
      step('userQueues.dropExpiredSessions', () => {
        for (const userQueue of userQueues.values()) {
          const live = userQueue.sessions.filter(({ expiresAt }) => expiresAt > now);
          if (live.length === userQueue.sessions.length) continue;
          userQueue.sessions = live;
          quiet.delete(userQueue.userId);
        }
      }),

    countPending: () =>
      step('userQueues.countPending', () => {
        const pending = all()
          .filter(({ state, accepted, settled }) => state !== 'closed' && accepted > settled)
          .map(({ accepted, settled }) => accepted - settled);
        return { requests: pending.reduce((sum, one) => sum + one, 0), users: pending.length };
      }),

    stuck: async (recently, limit, which, after) => {
      const { idle, stalled } = await step('userQueues.stuck', () => {
        const read = all()
          .filter(({ state, updatedAt }) => state !== 'closed' && !isIn(recently, updatedAt))
          .filter(({ userId, state }) => state !== 'open' || !quiet.has(userId))
          .filter(({ vouchedAt }) => which === 'all' || !vouchedAt || !isIn(recently, vouchedAt))
          .sort(byUpdate)
          .filter((userQueue) => !after || byUpdate(after, userQueue) < 0);
        return {
          idle: structuredClone(read.filter(isIdle)),
          stalled: read
            .filter((userQueue) => !isIdle(userQueue))
            .slice(0, limit)
            .map(({ userId, lane, accepted, settled, updatedAt }) =>
              structuredClone({ userId, lane, accepted, settled, updatedAt }),
            ),
        };
      });
      // The mark only saves later searches work.
      if (idle.length > 0) await noteQuiet(idle).catch(() => undefined);
      return stalled;
    },
  };
};

const saysTheSame = ({ said }: { said?: Said }, entry: LedgerEntry): boolean =>
  said === undefined ||
  (said.body === entry.body &&
    (said.interruptions ?? 0) === (entry.interruptions ?? 0) &&
    said.bytesThrough === entry.bytesThrough &&
    said.traceparent === entry.traceparent &&
    said.acceptedAt.getTime() === entry.acceptedAt.getTime() &&
    isDeepStrictEqual({ ...said.limits }, { ...entry.limits }));

/** Whether the change may be made to the entry [R7]. */
const permits = (change: LedgerChange, entry: LedgerEntry): boolean => {
  const { attempt, token } = change;
  const noLaterToken = (entry.token ?? 0) <= token;
  switch (change.kind) {
    case 'claim':
      return (
        isOneOf(claimableStatuses, entry) &&
        entry.attempts === attempt - 1 &&
        noLaterToken &&
        !entry.endRequestedAt &&
        saysTheSame(change, entry)
      );
    case 'requeue':
    case 'give-up':
      return entry.status === 'processing' && !entry.retryAt && entry.attempts === attempt && noLaterToken;
    case 'end':
      return isPending(entry) && entry.endRequestedAt !== undefined && entry.attempts === attempt && noLaterToken;
    default:
      return entry.status === 'processing' && entry.attempts === attempt && entry.token === token;
  }
};

/** Logs the attempt that the entry shows under way, if the change ends it. */
const logAttempt = (change: LedgerChange, entry: LedgerEntry): void => {
  const { token, attempts: attempt, startedAt } = entry;
  const end = attemptEndOf(change);
  if (!end || entry.status !== 'processing' || isInBackOff(entry) || token === undefined || !startedAt) return;
  const ended = structuredClone({ attempt, token, startedAt, endedAt: change.at, ...end });
  entry.attemptLog = [...(entry.attemptLog ?? []), ended].slice(-maxLoggedAttempts);
};

const apply = (change: LedgerChange, entry: LedgerEntry): void => {
  const { token, attempt, at } = change;
  logAttempt(change, entry);
  switch (change.kind) {
    case 'claim':
      Object.assign(entry, {
        status: 'processing',
        token,
        attempts: attempt,
        ...countsOf(change),
        startedAt: new Date(at),
      });
      endBackOff(entry);
      return;
    case 'requeue': {
      const { interruptions, forgiven } = change;
      Object.assign(entry, { status: 'queued', token, interruptions, forgiven });
      return;
    }
    case 'give-up': {
      const { status, error, reason, interruptions, forgiven } = change;
      const deadLetter = { reason, at: new Date(at) };
      Object.assign(entry, { status, token, interruptions, forgiven, error: structuredClone(error), deadLetter });
      if (status === 'failed') entry.settledAt = new Date(at);
      return;
    }
    case 'end': {
      const { error, interruptions, forgiven } = change;
      const deadLetter: DeadLetter = { reason: 'ended', at: new Date(at) };
      const ended = { status: 'failed', error: structuredClone(error), deadLetter, settledAt: new Date(at) };
      Object.assign(entry, { ...ended, token, interruptions, forgiven });
      endBackOff(entry);
      return;
    }
    case 'retry':
      Object.assign(
        entry,
        structuredClone({
          error: change.error,
          retryAt: change.retryAt,
          backOffMs: change.backOffMs,
          interruptions: change.interruptions,
        }),
      );
      return;
    case 'give-back':
      Object.assign(entry, { status: 'queued', forgiven: change.forgiven });
      return;
    case 'block':
      entry.status = 'blocked';
      entry.error = structuredClone(change.error);
      entry.deadLetter = { reason: change.reason, at: new Date(at) };
      return;
    case 'settle':
      Object.assign(entry, { status: change.status, settledAt: new Date(at) });
      if (change.status === 'failed') {
        entry.error = structuredClone(change.error);
        entry.deadLetter = { reason: change.reason, at: new Date(at) };
        return;
      }
      entry.result = change.result;
      delete entry.error;
  }
};

const newEntry = (entry: NewEntry): LedgerEntry => structuredClone(queuedEntry(entry));

const describe = (change: LedgerChange): string =>
  `${change.kind} ${entryId(change)} token ${change.token} attempt ${change.attempt}`;

const endBackOff = (entry: LedgerEntry): void => {
  delete entry.retryAt;
  delete entry.backOffMs;
};

const headOf = ({
  userId,
  seq,
  status,
  token,
  acceptedAt,
  startedAt,
  retryAt,
  endRequestedAt,
  deadLetter,
}: LedgerEntry): EntryHead => ({
  userId,
  seq,
  status,
  acceptedAt,
  ...(token !== undefined && { token }),
  ...(startedAt && { startedAt }),
  ...(retryAt && { retryAt }),
  ...(endRequestedAt && { endRequestedAt }),
  ...(deadLetter && { deadLetter }),
});

const workOf = (entry: LedgerEntry, withBody: boolean): WorkEntry => {
  const { key, result, error, deadLetter, retryOf, startedAt, attemptLog, body, ...work } = entry;
  return { ...work, ...(withBody && body !== undefined && { body }) };
};

/** The entries up to the one whose text brings the sum of all texts above `maxChars`. */
const upTo = <E extends LedgerEntry>(
  maxChars = Number.POSITIVE_INFINITY,
  found: E[],
  textOf: (entry: E) => string | undefined,
): E[] => {
  let chars = 0;
  const last = found.findIndex((entry) => {
    chars += textOf(entry)?.length ?? 0;
    return chars > maxChars;
  });
  return last < 0 ? found : found.slice(0, last + 1);
};

const withoutLog = <E extends LedgerEntry>({ attemptLog: _, ...rest }: E): Omit<E, 'attemptLog'> => rest;
const withoutBody = ({ body: _, ...rest }: LedgerEntry): Omit<LedgerEntry, 'body'> => rest;

const ledgerStore = ({ entries, journal }: MemoryDatabase, step: Step): LedgerStore => {
  /** The user's entries by ascending `seq`. */
  const ofUser = (userId: string) =>
    [...entries.values()].filter((entry) => entry.userId === userId).sort((a, b) => a.seq - b.seq);
  const withKey = (userId: string, key: string) => ofUser(userId).find((entry) => entry.key === key);

  const deadLetters = ({ userId, after, limit }: DeadLetterQuery) => {
    const position = (entry: { at: Date; userId: string; seq: number }) =>
      `${entry.at.toISOString()} ${entryId(entry)}`;
    const positionOf = ({ deadLetter, ...entry }: LedgerEntry & { deadLetter: DeadLetter }) =>
      position({ ...entry, at: deadLetter.at });
    return [...entries.values()]
      .filter((entry): entry is LedgerEntry & { deadLetter: DeadLetter } => entry.deadLetter !== undefined)
      .filter((entry) => userId === undefined || entry.userId === userId)
      .filter((entry) => !after || positionOf(entry) > position(after))
      .sort((a, b) => (positionOf(a) < positionOf(b) ? -1 : 1))
      .slice(0, limit);
  };

  const isUnstarted = ({ status, attempts }: LedgerEntry): boolean => status === 'queued' && attempts === 0;

  const cancelEntry = (
    entry: LedgerEntry | undefined,
    now: Date,
    mayCancel: (entry: LedgerEntry) => boolean,
  ): boolean => {
    if (!entry || !(mayCancel(entry) || isInBackOff(entry))) return false;
    Object.assign(entry, { status: 'cancelled', settledAt: new Date(now) });
    delete entry.deadLetter;
    endBackOff(entry);
    return true;
  };

  const commitOne = (change: LedgerChange): ChangeResult => {
    const entry = entries.get(entryId(change));
    if (!entry) return { applied: false, entry: undefined };
    if (permits(change, entry)) {
      apply(change, entry);
      journal?.push(change);
    }
    return isApplied(change, entry)
      ? { applied: true }
      : { applied: false, entry: structuredClone(workOf(entry, false)) };
  };

  const insert: LedgerStore['insert'] = (entry) =>
    step(`ledger.insert ${entryId(entry)}`, () => {
      if (entries.has(entryId(entry))) return 'duplicate-seq';
      if (entry.key !== undefined && withKey(entry.userId, entry.key)) return 'duplicate-key';
      entries.set(entryId(entry), newEntry(entry));
      return 'inserted';
    });

  return {
    insert,

    // As in MongoDB, one entry after the other.
    insertInOrder: async (newEntries) => {
      for (const [inserted, entry] of newEntries.entries()) {
        const answer = await insert(entry);
        if (answer !== 'inserted') return { inserted, refused: answer };
      }
      return { inserted: newEntries.length };
    },

    insertTombstone: ({ userId, seq, ...ofTicket }, now) =>
      step(`ledger.insertTombstone ${userId}:${seq}`, () => {
        const id = entryId({ userId, seq });
        if (entries.has(id)) return false;
        const entry = newEntry({ userId, seq, acceptedAt: now });
        entries.set(id, { ...entry, ...ofTicket, status: 'abandoned', settledAt: new Date(now) });
        return true;
      }),

    findByKey: (userId, key) => step(`ledger.findByKey ${userId} ${key}`, () => structuredClone(withKey(userId, key))),

    read: (ids, { withLog } = { withLog: true }) =>
      step(`ledger.read ${ids.map(entryId)}`, () => {
        const found = [...new Set(ids.map(entryId))].flatMap((id) => entries.get(id) ?? []);
        return structuredClone(withLog ? found : found.map(withoutLog));
      }),

    readWork: (ids) =>
      step(`ledger.readWork ${ids.map(entryId)}`, () => {
        const byId = new Map(ids.map((id) => [entryId(id), id.withBody]));
        return [...byId].flatMap(([id, withBody]) => {
          const entry = entries.get(id);
          return entry ? structuredClone(workOf(entry, withBody)) : [];
        });
      }),

    readHeads: (ids) =>
      step(`ledger.readHeads ${ids.map(entryId)}`, () =>
        [...new Set(ids.map(entryId))].flatMap((id) => {
          const entry = entries.get(id);
          return entry ? structuredClone(headOf(entry)) : [];
        }),
      ),

    // As in MongoDB's bulk write, each change is a step of its own: a crash may leave any subset of them.
    commit: (changes) =>
      Promise.all(changes.map((change) => step(`ledger.commit ${describe(change)}`, () => commitOne(change)))),

    cancel: (id, now) =>
      step(`ledger.cancel ${entryId(id)}`, () => cancelEntry(entries.get(entryId(id)), now, isUnstarted)),

    // As in MongoDB, one entry after the other.
    cancelEach: async (userId, seqs, now) => {
      let cancelled = 0;
      for (const seq of seqs) {
        const id = entryId({ userId, seq });
        if (await step(`ledger.cancelEach ${id}`, () => cancelEntry(entries.get(id), now, isUnstarted))) cancelled += 1;
      }
      return cancelled;
    },

    // As in MongoDB, one entry after the other.
    cancelQueued: async (userId, { after, upTo }, now) => {
      let cancelled = 0;
      for (let seq = after + 1; seq <= upTo; seq += 1) {
        const id = entryId({ userId, seq });
        const cancel = () => cancelEntry(entries.get(id), now, (entry) => isOneOf(['queued', 'blocked'], entry));
        if (await step(`ledger.cancelQueued ${id}`, cancel)) cancelled += 1;
      }
      return cancelled;
    },

    unblock: ({ attempts, ...id }) =>
      step(`ledger.unblock ${entryId(id)}`, () => {
        const entry = entries.get(entryId(id));
        if (entry?.status !== 'blocked' || entry.attempts !== attempts) return false;
        Object.assign(entry, { status: 'queued', forgiven: attempts });
        delete entry.deadLetter;
        delete entry.error;
        return true;
      }),

    endBackOff: ({ attempts, ...id }) =>
      step(`ledger.endBackOff ${entryId(id)}`, () => {
        const entry = entries.get(entryId(id));
        if (!entry || !isInBackOff(entry) || entry.attempts !== attempts) return false;
        entry.status = 'queued';
        endBackOff(entry);
        return true;
      }),

    skip: (id, now) =>
      step(`ledger.skip ${entryId(id)}`, () => {
        const entry = entries.get(entryId(id));
        if (!entry || !(entry.status === 'blocked' || isInBackOff(entry))) return false;
        const reason = (entry.interruptions ?? 0) > 0 ? 'crashed' : 'failed';
        entry.deadLetter ??= { reason, at: new Date(now) };
        Object.assign(entry, { status: 'failed', settledAt: new Date(now) });
        endBackOff(entry);
        return true;
      }),

    requestEnd: (id, now) =>
      step(`ledger.requestEnd ${entryId(id)}`, () => {
        const entry = entries.get(entryId(id));
        if (entry?.status !== 'processing' || isInBackOff(entry) || entry.endRequestedAt) return false;
        entry.endRequestedAt = new Date(now);
        return true;
      }),

    deadLetters: ({ maxChars, ...query }) =>
      step('ledger.deadLetters', () =>
        structuredClone(upTo(maxChars, deadLetters(query), ({ body }) => body).map(withoutLog)),
      ),

    deadLetterHeads: (query) =>
      step('ledger.deadLetterHeads', () =>
        deadLetters(query).map(({ userId, seq, deadLetter }) => structuredClone({ userId, seq, deadLetter })),
      ),

    countDeadLetters: (limit) =>
      step('ledger.countDeadLetters', () =>
        Math.min(limit, [...entries.values()].filter(({ deadLetter }) => deadLetter !== undefined).length),
      ),

    deadLetterIds: ({ userId, after, limit }) =>
      step('ledger.deadLetterIds', () =>
        [...entries.values()]
          .filter(({ deadLetter }) => deadLetter !== undefined)
          .filter((entry) => userId === undefined || entry.userId === userId)
          .sort(byUserAndSeq)
          .filter((entry) => !after || byUserAndSeq(after, entry) < 0)
          .slice(0, limit)
          .map(({ userId, seq }) => ({ userId, seq })),
      ),

    dropDeadLetter: (id) =>
      step('ledger.dropDeadLetter', () => {
        const entry = entries.get(entryId(id));
        if (!entry?.deadLetter || !isOneOf(settledStatuses, entry)) return false;
        delete entry.deadLetter;
        return true;
      }),

    sumSettled: (userId, { after, upTo }) =>
      step('ledger.sumSettled', () => {
        const inRange = ofUser(userId).filter(({ seq }) => seq > after && seq <= upTo);
        const settled = inRange.filter((entry) => isOneOf(settledStatuses, entry));
        const bytes = settled.reduce((sum, entry) => sum + (entry.bytes ?? 0), 0);
        const before = entries.get(entryId({ userId, seq: after }));
        const bytesBefore = (before && isOneOf(settledStatuses, before) && before.bytesThrough) || 0;
        return { requests: settled.length, bytes, bytesBefore };
      }),

    status: (id) => step(`ledger.status ${entryId(id)}`, () => entries.get(entryId(id))?.status),

    page: (userId, { status, after, upTo: last = Infinity, limit, maxChars }) =>
      step('ledger.page', () => {
        const found = ofUser(userId).filter(
          ({ seq, ...entry }) => seq > after && seq <= last && (!status || entry.status === status),
        );
        const listed = upTo(maxChars, found.slice(0, limit), ({ result }) => result);
        return structuredClone(listed.map(withoutLog).map(withoutBody));
      }),

    oldestPending: (userId, from) =>
      step('ledger.oldestPending', () => {
        const oldest = ofUser(userId).find((entry) => entry.seq >= from && isPending(entry));
        return oldest && structuredClone(headOf(oldest));
      }),
  };
};

/** One simulated process's view of the database. Without `step`, every operation happens in the next microtask. */
export const createMemoryStores = (step: Step = direct, database = createMemoryDatabase()): MemoryStores => ({
  accounts: accountStore(database, step),
  apiKeys: memoryKeyStore(database, step),
  userQueues: userQueueStore(database, step),
  ledger: ledgerStore(database, step),
  lanes: laneStore(database, step),
  workers: workerStore(database, step),
  database,
});
