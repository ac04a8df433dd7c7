/** What is asked of the system, and what it took. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LedgerEntry } from '../../lib/types.ts';
import { type Counts, difference } from './counts.ts';
import { perSecond } from './figures.ts';
import { closedLoop, nowMs, openLoop, type Paced } from './load.ts';
import type { BenchServers } from './servers.ts';
import type { BenchUser, System } from './system.ts';

export type Send = (user: BenchUser, body: string) => Promise<void>;

/** On a slow machine it is cut off after `limitMs`. */
export type Burst = { users: number; requestsEach: number; inFlight: number; limitMs: number };

export type BurstFigures = {
  requests: number;
  /** More than `requests` when the burst was cut off. */
  planned: number;
  acceptedPerSecond: number;
  /** From the first call to the last settlement. */
  endToEndPerSecond: number;
  /** A request. */
  statements: Counts;
  brokerOperations: Counts;
};

/** The owner's progress is flushed a little after the settlements; it belongs to them. */
const flushPauseMs = 1_000;

const bodyOf = (index: number): string => JSON.stringify({ text: `request ${index}` });

const userOf = (users: BenchUser[], index: number): BenchUser => users[index % users.length] as BenchUser;

const checkAllDone = (entries: LedgerEntry[], count: number): void => {
  const done = entries.filter(({ status }) => status === 'done').length;
  if (done !== count) throw new Error(`${done} of ${count} requests are done; the figures would be worthless.`);
};

const count = async (servers: BenchServers) => ({
  statements: await servers.statements(),
  brokerOperations: await servers.brokerOperations(),
});

const perRequest = (counts: Counts, requests: number): Counts =>
  Object.fromEntries(Object.entries(counts).map(([name, value]) => [name, value / requests]));

/** The users take turns, so that what is in flight belongs to different ones. */
export const runBurst = async (
  { users, requestsEach, inFlight, limitMs }: Burst,
  send: Send,
  system: System,
  servers: BenchServers,
): Promise<BurstFigures> => {
  const everybody = await system.users(users);
  const settledBefore = await system.settled();
  const before = await count(servers);

  const startedAt = nowMs();
  const load = { count: users * requestsEach, inFlight, limitMs };
  const total = await closedLoop(load, (index) => send(userOf(everybody, index), bodyOf(index)));
  const acceptedAt = nowMs();
  await system.untilSettled(settledBefore + total);

  await sleep(flushPauseMs);
  const after = await count(servers);
  const entries = await system.ledger(everybody, requestsEach);
  checkAllDone(entries, total);
  await system.disconnect(everybody);
  const settledAt = entries.reduce((last, entry) => Math.max(last, entry.settledAt?.getTime() ?? 0), 0);
  return {
    requests: total,
    planned: users * requestsEach,
    acceptedPerSecond: perSecond(total, acceptedAt - startedAt),
    endToEndPerSecond: perSecond(total, settledAt - startedAt),
    statements: perRequest(difference(after.statements, before.statements), total),
    brokerOperations: perRequest(difference(after.brokerOperations, before.brokerOperations), total),
  };
};

/** All in ms. */
export type Latencies = {
  /** From when the call was due to its answer. */
  dueToAnswered: number[];
  /** From when the call was due to the start of the run. */
  dueToStarted: number[];
  /** From `acceptedAt` in the ledger to the start of the run. */
  acceptedToStarted: number[];
};

/** The benchmark's processor returns when it was called. */
const startOf = ({ result }: LedgerEntry): number => Number(result);

const warmUpBody = '"opens the queue"';

/**
 * At a fixed rate, with every user's queue open before. Which call became which `seq` is told by the body, since two of one
 * user may overtake each other on their way.
 */
export const runPaced = async (paced: Paced, users: number, send: Send, system: System): Promise<Latencies> => {
  const everybody = await system.users(users);
  const settledBefore = await system.settled();
  await closedLoop({ count: users, inFlight: users }, (index) => send(userOf(everybody, index), warmUpBody));
  await system.untilSettled(settledBefore + users);

  const dueOf = new Map<string, number>();
  const dueToAnswered: number[] = [];
  await openLoop(paced, async (index, due) => {
    dueOf.set(bodyOf(index), due);
    await send(userOf(everybody, index), bodyOf(index));
    dueToAnswered.push(nowMs() - due);
  });
  await system.untilSettled(settledBefore + users + paced.count);

  const entries = await system.ledger(everybody, 1 + Math.ceil(paced.count / users));
  checkAllDone(entries, users + paced.count);
  await system.disconnect(everybody);
  const measured = entries.filter(({ body }) => dueOf.has(body ?? ''));
  return {
    dueToAnswered,
    dueToStarted: measured.map((entry) => startOf(entry) - (dueOf.get(entry.body ?? '') ?? Number.NaN)),
    acceptedToStarted: measured.map((entry) => startOf(entry) - entry.acceptedAt.getTime()),
  };
};
