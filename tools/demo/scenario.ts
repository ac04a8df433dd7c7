/** A few users who send all at once, and what became of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connectUser } from './client.ts';
import type { Display } from './display.ts';
import { noteEntries, type Progress } from './progress.ts';
import type { UserHistory } from './verdict.ts';

export type Plan = {
  apiUrl: string;
  usernames: string[];
  /** Of each user. */
  requests: number;
};

/** Requests of one user that wait for their answer at the same time. */
const inFlight = 4;
const lookEveryMs = 100;
/** Without any progress for so long, nothing runs: the verdict then says what is missing. */
const patienceMs = 30_000;

export type Connected = { client: Client; progress: Progress; sent: UserHistory['sent'] };

export const connectAll = ({ apiUrl, usernames, requests }: Plan): Promise<Connected[]> =>
  Promise.all(
    usernames.map(async (username) => ({
      client: await connectUser(apiUrl, username),
      progress: { username, total: requests, accepted: 0, settled: 0, running: undefined },
      sent: [],
    })),
  );

const sendBurst = async ({ client, progress, sent }: Connected): Promise<void> => {
  let number = 0;
  const sendNext = async (): Promise<void> => {
    while (number < progress.total) {
      number += 1;
      const request = { from: client.username, number };
      sent.push({ seq: await client.enqueue(request), request });
      progress.accepted = sent.length;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, sendNext));
};

const isSettled = ({ settled, total }: Progress): boolean => settled >= total;

/** Looks at one user's ledger again and again until everything is settled or nothing moves any more. */
const watch = async ({ client, progress }: Connected, display: Display): Promise<void> => {
  let movedAt = performance.now();
  while (!isSettled(progress) && performance.now() - movedAt < patienceMs) {
    const { settled, accepted } = progress;
    noteEntries(progress, (await client.page(settled)).requests);
    if (progress.settled !== settled || progress.accepted !== accepted) movedAt = performance.now();
    display.show();
    await sleep(lookEveryMs);
  }
};

/** Everybody sends at once and is watched until everything is settled. */
export const runBursts = async (users: Connected[], display: Display): Promise<void> => {
  await Promise.all(users.flatMap((user) => [sendBurst(user), watch(user, display)]));
};

/** The ledger is read before the session ends with it. */
export const collect = ({ client, sent }: Connected): Promise<UserHistory> =>
  client.ledger().then(async (entries) => ({
    username: client.username,
    sent,
    entries,
    queue: await client.disconnect(),
  }));
