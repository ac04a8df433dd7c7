/** Simulated users and an operator. They call the production functions, and each call is a simulated process. */
import { sleep } from '../../lib/clock.ts';
import { clockToleranceMs } from '../../lib/database-clock.ts';
import { AppError } from '../../lib/errors.ts';
import type { Wait } from '../../lib/long-polls.ts';
import { pollUntil } from '../../lib/poll.ts';
import { permanentSession } from '../../lib/references.ts';
import { type AcceptDeps, acceptRequest, acceptRequests } from '../../lib/requests/accept.ts';
import { cancelRequest } from '../../lib/requests/cancel.ts';
import { cancelAll } from '../../lib/requests/cancel-many.ts';
import { disconnect } from '../../lib/requests/disconnect.ts';
import { endRequest } from '../../lib/requests/end.ts';
import { retryRequest, skipRequest } from '../../lib/requests/retry.ts';
import { userQueueOf } from '../../lib/requests/user-queue.ts';
import { createMemoryStores } from '../../lib/testing/memory-stores.ts';
import { type EntryId, isInBackOff, isSettled, type LedgerEntry, type RunLimits } from '../../lib/types.ts';
import {
  type Action,
  bodyOf,
  cancelsAll,
  connects,
  isByReference,
  runsOnce,
  type Scenario,
  type SimulatedUser,
  type Work,
} from './scenario.ts';
import type { SimulatedProcess } from './scheduler.ts';
import type { SimulatedWorld } from './world.ts';

export type FunctionDeps = AcceptDeps;

type Answer<T> = { kind: 'answered'; value: T } | { kind: 'refused'; error: AppError } | { kind: 'died' };

export type Clients = {
  /** Runs the program of every user. Resolves when all users have disconnected. */
  play(): Promise<void>;
  /** An operator ends the run of this request. */
  end(id: EntryId): Promise<void>;
  /** The function calls in progress. */
  calls: Set<SimulatedProcess>;
};

/** How often a client tries a call that it may safely repeat. */
const tries = 3;
const repeatMs = 300;
const operatorMs = 600;
const pollMs = 400;
const maxSessions = 100;
/** By then, a call that has failed has taken its effect. */
const latestEffectMs = 10_000;
/** Otherwise a user must disconnect, in a run that is to come to rest. */
const closesWhenIdle = ({ idleTimeoutMs }: Scenario): boolean => idleTimeoutMs < 60_000;
/** Where few requests may be pending, sometimes even fewer fit into their bytes. */
const bytesForEach = 70;

export const createClients = (world: SimulatedWorld): Clients => {
  const { scenario, scheduler, database, broker, history, log } = world;
  const calls = new Set<SimulatedProcess>();
  const { clock } = scheduler.process('clients');
  const pause = (ms: number): Promise<void> => (ms > 0 ? sleep(clock, ms) : Promise.resolve());
  let callsMade = 0;
  let sessionsMade = 0;

  const depsOf = (process: SimulatedProcess): FunctionDeps => {
    const step = world.stepOf(process, 'function');
    const { userQueues, ledger } = createMemoryStores(step, database);
    const { publisher } = broker.connect(step);
    const { maxPending } = scenario;
    const config = { lanes: scenario.lanes, maxPending, maxPendingBytes: maxPending * bytesForEach, enqueueRate: 0 };
    const deps = { clock: world.clockOf(process), log, userQueues, ledger, publisher, config };
    return world.broken?.function?.(deps, { database, broker, step, host: process.clock }) ?? deps;
  };

  const call = async <T>(what: string, work: (deps: FunctionDeps) => Promise<T>): Promise<Answer<T>> => {
    callsMade += 1;
    const process = world.processOn(callsMade, `f${callsMade} ${what}`);
    process.jump(world.functions.aheadMs);
    calls.add(process);
    const answer = world
      .timeKnown(process)
      .then(() => work(depsOf(process)))
      .then(
        (value): Answer<T> => ({ kind: 'answered', value }),
        (error): Answer<T> => {
          if (!(error instanceof AppError)) world.unexpectedErrors.push(`${process.name} failed: ${error?.stack}`);
          return { kind: 'refused', error };
        },
      );
    const died = process.died.then((): Answer<T> => ({ kind: 'died' }));
    const first = await Promise.race([answer, died]);
    calls.delete(process);
    return first;
  };

  const untilSettled = async (seqs: number[], userId: string): Promise<void> => {
    const isPending = (seq: number): boolean => {
      const entry = database.entries.get(`${userId}:${seq}`);
      return entry !== undefined && !isSettled(entry);
    };
    while (seqs.some(isPending)) await sleep(clock, pollMs);
  };

  const playUser = async (user: SimulatedUser, userId: string, byReference: boolean): Promise<void> => {
    const sessions: string[] = [];
    /** Logins that have opened a connection: they may enqueue, and do not keep the user queue open. */
    const logins: string[] = [];
    /** By the connection. */
    const loginOf = new Map<string, string>();
    /** Sessions that this user has ended, or tried to end. */
    const left = new Set<string>();
    let sessionsEnded = 0;
    let ticketMayFollow = false;
    /** When each login was sent. */
    const loggedInMs = new Map<string, number>();
    const accepted: number[] = [];
    const lane = user.lane % scenario.lanes;

    /** The next ticket sets the permanent session, whether it has an answer or not. */
    const expectTicket = (): void => {
      if (!sessions.includes(permanentSession.id)) sessions.push(permanentSession.id);
    };

    const logIn = async (): Promise<void> => {
      if (byReference) return;
      sessionsMade += 1;
      const id = `s${sessionsMade}`;
      loggedInMs.set(id, scheduler.elapsedMs());
      const answer = await call(`${userId} log in`, (deps) => {
        const expiresAt = new Date(deps.clock.now().getTime() + scenario.sessionMs);
        return deps.userQueues.addSession(userId, { id, expiresAt }, lane, maxSessions);
      });
      if (answer.kind !== 'answered') return;
      sessions.push(id);
      if (connects(scenario)) await connect(id);
    };

    /** The connection takes the user queue over from its login, which stays and is never ended. */
    const connect = async (login: string): Promise<void> => {
      const id = `c${login}`;
      loggedInMs.set(id, scheduler.elapsedMs());
      const answer = await call(`${userId} connect`, (deps) => {
        const now = deps.clock.now();
        const session = { id, login, expiresAt: new Date(now.getTime() + scenario.sessionMs) };
        return deps.userQueues.addConnection(userId, session, maxSessions, now);
      });
      // A disconnect of the login meanwhile has ended the connection too.
      if (answer.kind !== 'answered' || answer.value !== 'added' || left.has(login)) return;
      forget(login);
      logins.push(login);
      loginOf.set(id, login);
      sessions.push(id);
    };

    const forget = (sessionId: string): void => {
      for (const all of [sessions, logins]) if (all.includes(sessionId)) all.splice(all.indexOf(sessionId), 1);
    };

    /** A session may end early only when MongoDB's clock was set ahead, or when this user ends it. */
    const noteEnded = (sessionId: string): void => {
      const livedMs = scheduler.elapsedMs() - (loggedInMs.get(sessionId) ?? 0);
      const wasSetAhead = history.some((event) => event.kind === 'fault' && event.fault === 'store-clock-jumped');
      if (
        [...sessions, ...logins].includes(sessionId) &&
        livedMs < scenario.sessionMs - clockToleranceMs &&
        !wasSetAhead
      ) {
        world.endedEarly.push({
          userId,
          detail: `session ${sessionId} of ${scenario.sessionMs} ms ended after ${livedMs} ms`,
        });
      }
      forget(sessionId);
    };

    const callerNow = async () => {
      if (byReference) expectTicket();
      else if (sessions.length === 0 && logins.length === 0) await logIn();
      const sessionId = sessions.at(-1) ?? logins.at(-1) ?? 'none';
      return { sessionId, caller: byReference ? { userId, reference: userId } : { userId, sessionId } };
    };

    const limits: RunLimits | undefined = runsOnce(scenario) ? { onInterruption: 'dead-letter' } : undefined;
    const requestOf = (work: Work, key?: string) => ({ body: bodyOf(scenario, work), key, limits });

    const noteAccepted = (seq: number, sentAt: number, sessionId: string, key?: string): void => {
      // With the sweep on, the session may expire. With a key, an earlier call of another session may have been accepted.
      // A login that opens a connection keeps nothing: whoever ends the last connection may cancel what it has sent.
      const isMereLogin = connects(scenario) && !loginOf.has(sessionId);
      const session = scenario.sweep || byReference || isMereLogin || key !== undefined ? undefined : sessionId;
      accepted.push(seq);
      const once = database.entries.get(`${userId}:${seq}`)?.limits?.onInterruption === 'dead-letter';
      history.push({ kind: 'accepted', userId, seq, at: scheduler.timestamp(), key, sentAt, session, once });
    };

    const noteRefused = (code: string, sessionId: string): void => {
      history.push({ kind: 'refused', userId, at: scheduler.timestamp(), code });
      if (code === 'session-ended') noteEnded(sessionId);
    };

    const codeOf = (answer: Exclude<Answer<unknown>, { kind: 'answered' }>): string =>
      answer.kind === 'refused' ? answer.error.code : 'no-answer';

    const enqueue = async (work: Work, keyNumber?: number): Promise<void> => {
      const key = keyNumber === undefined ? undefined : `key ${keyNumber}`;
      const sentAt = scheduler.timestamp();
      for (let tried = 0; tried < tries; tried += 1) {
        const { caller, sessionId } = await callerNow();
        const command = { ...caller, ...requestOf(work, key) };
        const answer = await call(`${userId} enqueue`, (deps) => acceptRequest(command, deps));
        if (byReference) expectTicket();
        if (answer.kind === 'answered') return noteAccepted(answer.value.seq, sentAt, sessionId, key);
        ticketMayFollow = true;
        const code = codeOf(answer);
        noteRefused(code, sessionId);
        if (code !== 'session-ended' && (key === undefined || code === 'idempotency-key-reused')) return;
        await pause(repeatMs);
      }
    };

    const enqueueTogether = async (works: Work[]): Promise<void> => {
      const sentAt = scheduler.timestamp();
      const { caller, sessionId } = await callerNow();
      const answer = await call(`${userId} enqueue together`, (deps) =>
        Promise.allSettled(works.map((work) => acceptRequest({ ...caller, ...requestOf(work) }, deps))),
      );
      if (byReference) expectTicket();
      if (answer.kind !== 'answered') ticketMayFollow = true;
      for (const one of answer.kind === 'answered' ? answer.value : []) {
        if (one.status === 'fulfilled') noteAccepted(one.value.seq, sentAt, sessionId);
        else if (one.reason instanceof AppError) {
          ticketMayFollow = true;
          noteRefused(one.reason.code, sessionId);
        } else world.unexpectedErrors.push(`a call of ${userId} failed: ${one.reason?.stack}`);
      }
    };

    const enqueueSeveral = async (works: Work[]): Promise<void> => {
      const sentAt = scheduler.timestamp();
      const { caller, sessionId } = await callerNow();
      const requests = works.map((work) => requestOf(work));
      const answer = await call(`${userId} enqueue several`, (deps) => acceptRequests({ ...caller, requests }, deps));
      if (byReference) expectTicket();
      if (answer.kind !== 'answered') {
        ticketMayFollow = true;
        noteRefused(codeOf(answer), sessionId);
        return;
      }
      const seqs = answer.value.map(({ seq }) => seq);
      if (seqs.some((seq, index) => index > 0 && seq <= (seqs[index - 1] ?? 0)))
        world.unexpectedErrors.push(`a call of ${userId} lost the order of its requests: ${seqs}`);
      for (const seq of seqs) noteAccepted(seq, sentAt, sessionId);
    };

    const cancelOne = async (which: number): Promise<void> => {
      const seq = accepted.at(-1 - which);
      if (seq !== undefined) await cancel(userId, seq);
    };

    const cancelAccepted = async (): Promise<void> => {
      const upTo = Math.max(0, ...accepted);
      for (let seq = 1; seq <= upTo; seq += 1)
        history.push({ kind: 'cancel-asked', userId, seq, at: scheduler.timestamp() });
      await call(`${userId} cancel all`, async (deps) => cancelAll(await userQueueOf(userId, deps), { upTo }, deps));
    };

    const leave = async (pending: 'drain' | 'cancel', waitMs: number): Promise<void> => {
      const last = sessions.pop();
      if (last === undefined) return;
      // A connection that ends only drains. Who cancels ends the login, and its connection with it.
      const login = loginOf.get(last);
      const sessionId = pending === 'cancel' && login !== undefined ? login : last;
      forget(sessionId);
      left.add(sessionId);
      sessionsEnded += 1;
      // The permanent session lives again and again.
      const session = byReference ? `${sessionId} ${sessionsEnded}` : sessionId;
      const ending = sessionId === last ? [session] : [session, last];
      // It never expires, so that somebody must end it.
      for (let tried = 0; tried < tries || byReference; tried += 1) {
        for (const one of ending)
          history.push({ kind: 'leaving', userId, session: one, pending, at: scheduler.timestamp() });
        const answer = await call(`${userId} disconnect`, (deps) => {
          const wait: Wait = (_what, check) => pollUntil(deps.clock, waitMs, check);
          return disconnect({ userId, sessionId, pending, wait }, deps);
        });
        if (answer.kind === 'answered') {
          // After a repetition no `left` event: an earlier call without an answer may still take effect.
          if (tried > 0) return;
          for (const one of ending) history.push({ kind: 'left', userId, session: one, at: scheduler.timestamp() });
          return;
        }
        await pause(repeatMs);
      }
    };

    const act = async (action: Action): Promise<void> => {
      switch (action.kind) {
        case 'enqueue':
          return enqueue(action.work);
        case 'enqueue with key':
          return enqueue(action.work, action.key);
        case 'same key twice concurrently':
          await Promise.all([enqueue(action.work, action.key), enqueue(action.work, action.key)]);
          return;
        case 'two concurrently':
          await Promise.all([enqueue(action.work), enqueue(action.other)]);
          return;
        case 'two together':
          return enqueueTogether(action.works);
        case 'enqueue several':
          return enqueueSeveral(action.works);
        case 'cancel':
          return action.which === cancelsAll ? cancelAccepted() : cancelOne(action.which);
        case 'disconnect':
          return leave(action.pending, action.waitMs);
        case 'log in':
          return logIn();
      }
    };

    await logIn();
    const acts: Promise<void>[] = [];
    for (const action of user.program) {
      await pause(action.pauseMs);
      const doing = act(action);
      acts.push(doing);
      if (action.waits) await doing;
    }
    const end = async (): Promise<void> => {
      while (sessions.length > 0) await leave('drain', 0);
    };
    /** A call without an answer may still take its ticket. */
    const endForGood = async (): Promise<void> => {
      if (ticketMayFollow) {
        await pause(latestEffectMs);
        expectTicket();
      }
      await end();
    };
    if (user.leaves === 'immediately') await end();
    await Promise.all(acts);
    if (user.leaves === 'settled') await untilSettled(accepted, userId);
    // Some of the actions may have logged in again.
    if (user.leaves !== 'expire') await end();
    if (byReference && !closesWhenIdle(scenario)) await endForGood();
  };

  const cancel = async (userId: string, seq: number): Promise<void> => {
    history.push({ kind: 'cancel-asked', userId, seq, at: scheduler.timestamp() });
    const answer = await call(`${userId} cancel`, (deps) => cancelRequest({ userId, seq }, deps));
    if (answer.kind === 'answered') history.push({ kind: 'cancelled', userId, seq, at: scheduler.timestamp() });
  };

  const decide = async ({ userId, seq }: LedgerEntry, decision: 'skip' | 'retry'): Promise<void> => {
    history.push({ kind: 'decided', userId, seq, decision, at: scheduler.timestamp() });
    if (decision === 'skip') await call(`skip ${userId}:${seq}`, (deps) => skipRequest({ userId, seq }, deps));
    else await call(`retry ${userId}:${seq}`, (deps) => retryRequest({ userId, seq, sessionId: undefined }, deps));
  };

  /** Periodically decides about requests that are blocked or in their back-off, some of them at the last moment. */
  const operate = async (): Promise<void> => {
    for (;;) {
      await sleep(clock, operatorMs);
      const waiting = [...database.entries.values()].find((entry) => entry.status === 'blocked' || isInBackOff(entry));
      if (!waiting) continue;
      const choice = scheduler.random();
      if (waiting.status !== 'blocked' && choice < 0.3) await cancel(waiting.userId, waiting.seq);
      else await decide(waiting, choice < 0.6 ? 'skip' : 'retry');
    }
  };

  return {
    calls,
    async end(id) {
      await call(`end ${id.userId}:${id.seq}`, (deps) => endRequest(id, undefined, deps));
    },
    async play() {
      if (!scenario.undecided) void operate();
      await Promise.all(
        scenario.users.map((user, index) => playUser(user, `u${index + 1}`, isByReference(scenario, index))),
      );
    },
  };
};
