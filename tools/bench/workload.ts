/** What the benchmark asks of the system, and what it measures. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../api-client.ts';
import { type Counts, difference } from './counts.ts';
import { closedLoop, nowMs } from './load.ts';
import type { BenchServers } from './servers.ts';
import type { System } from './system.ts';

/** Returns the `seq`. */
export type Send = (user: Client, request: unknown) => Promise<number>;

/** Times in ms since the epoch. */
export type Measured = {
  startedAt: number;
  calls: { dueAt: number; answeredAt: number; acceptedAt: number; runAt: number; settledAt: number }[];
  /** Both for each request. */
  statements: Counts;
  brokerOperations: Counts;
};

/** Offers requests: calls `call` with the index of each and the time when it is due. */
export type Offer = (call: (index: number, dueAt: number) => Promise<void>) => Promise<unknown>;

/** The flush comes a little after the settlements; it belongs to them. */
const flushPauseMs = 1_000;

/**
 * New users send what is offered. They take turns, so that requests in flight belong to different users.
 *
 * @param warm their queues are open before.
 * @throws {Error} when a request is not done or a queue does not end: the figures would be worthless.
 */
export const measure = async (
  { count, warm, offer }: { count: number; warm: boolean; offer: Offer },
  send: Send,
  system: System,
  servers: BenchServers,
): Promise<Measured> => {
  const users = await system.connect(count);
  const userOf = (index: number): Client => users[index % count] as Client;
  const sent: { index: number; seq: number; dueAt: number; answeredAt: number }[] = [];
  const call = async (index: number, dueAt: number): Promise<void> => {
    const seq = await send(userOf(index), { text: `request ${index}` });
    sent.push({ index, seq, dueAt, answeredAt: nowMs() });
  };
  let expected = await system.settled();
  if (warm) {
    await Promise.all(users.map((user) => send(user, 'opens the queue')));
    expected += count;
    await system.untilSettled(expected);
  }
  const countBoth = async () => [await servers.statements(), await servers.brokerOperations()] as const;
  const before = await countBoth();
  const startedAt = nowMs();
  await offer(call);
  await system.untilSettled(expected + sent.length);
  await sleep(flushPauseMs);
  const after = await countBoth();

  const ledgers = new Map<Client, Awaited<ReturnType<Client['ledger']>>>();
  await closedLoop({ count, inFlight: 16 }, async (index) => {
    ledgers.set(userOf(index), await userOf(index).ledger());
    const queue = await userOf(index).disconnect();
    if (queue !== 'closed') throw new Error(`A queue is still ${queue} 20 s after its last request.`);
  });
  const calls = sent.map(({ index, seq, ...times }) => {
    const entry = ledgers.get(userOf(index))?.find((entry) => entry.seq === seq);
    if (entry?.status !== 'done') throw new Error(`A request is ${entry?.status}, not done.`);
    const { acceptedAt = '', settledAt = '', result } = entry;
    // The benchmark's processor returns the time of its call.
    return { ...times, acceptedAt: Date.parse(acceptedAt), runAt: Number(result), settledAt: Date.parse(settledAt) };
  });
  return {
    startedAt,
    calls,
    statements: difference(after[0], before[0], sent.length),
    brokerOperations: difference(after[1], before[1], sent.length),
  };
};
