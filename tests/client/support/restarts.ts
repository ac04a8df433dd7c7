/** Clients that enqueue and follow while the API is killed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { progressOf } from '../../../client/events/progress.ts';
import type { LaneEvent, LanekeeperClient } from '../../../client/index.ts';
import { openLanekeeper } from './lanekeeper.ts';

/** What is wrong with what a client was told: each of its requests is settled once, in order, and no state comes twice or goes back. */
const faultsOf = (events: LaneEvent[], seqs: number[]): string[] => {
  const states = events.filter((event) => event.type !== 'queue');
  const settled = states.filter(({ type }) => type === 'settled').map(({ request }) => request.seq);
  const last = new Map<number, number>();
  const backwards = states.filter(({ request }) => {
    const before = last.get(request.seq) ?? -1;
    last.set(request.seq, progressOf(request));
    return progressOf(request) <= before;
  });
  return [
    ...(settled.join() === seqs.join() ? [] : [`${seqs} were accepted, and ${settled} settled`]),
    ...backwards.map(({ type, request }) => `${request.seq} was ${type} again`),
  ];
};

const follow = async (lk: LanekeeperClient, count: number): Promise<LaneEvent[]> => {
  const events: LaneEvent[] = [];
  let settled = 0;
  for await (const event of lk.events({ after: '0' })) {
    events.push(event);
    if (event.type === 'settled') settled += 1;
    if (settled === count) break;
  }
  return events;
};

type Plan = {
  clients: number;
  /** How long each client enqueues, at even intervals. */
  seconds: number;
  /** Of one client. */
  requests: number;
  killEveryMs: number;
};

/** Returns what is wrong, by client, and how often the API was killed. */
export const followThroughRestarts = async ({ clients: wanted, seconds, requests, killEveryMs }: Plan) => {
  await using lanekeeper = await openLanekeeper();
  const clients: LanekeeperClient[] = [];
  // Logins hash passwords, a few at a time.
  while (clients.length < wanted)
    clients.push(
      ...(await Promise.all(Array.from({ length: Math.min(10, wanted - clients.length) }, () => lanekeeper.client()))),
    );
  /** Returns their `seq`: a ticket of a call that was killed may be lost. */
  const send = async (lk: LanekeeperClient, index: number): Promise<number[]> => {
    await sleep((index / wanted) * 1_000);
    const seqs: number[] = [];
    for (let number = 0; number < requests; number += 1) {
      seqs.push((await lk.enqueue({ number })).seq);
      await sleep((seconds * 1_000) / requests);
    }
    return seqs;
  };
  const following = Promise.all(clients.map((lk) => follow(lk, requests)));
  let isSending = true;
  const sending = Promise.all(clients.map(send)).finally(() => {
    isSending = false;
  });
  let kills = 0;
  for (; ; kills += 1) {
    await sleep(killEveryMs);
    if (!isSending) break;
    await lanekeeper.restartApi();
  }
  const sent = await sending;
  const faults = (await following).flatMap((events, client) =>
    faultsOf(events, sent[client] ?? []).map((fault) => `client ${client}: ${fault}`),
  );
  for (const lk of clients) lk.close();
  return { faults, kills };
};
