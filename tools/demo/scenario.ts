/** A few users who send all their requests at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connectUser } from '../api-client.ts';
import { closedLoop } from '../load.ts';
import type { Progress } from './progress.ts';
import type { UserHistory } from './verdict.ts';

export type Connected = { client: Client; progress: Progress; sent: UserHistory['sent'] };

/** Calls of one user that wait for their answer at the same time. */
const inFlight = 4;
const readEveryMs = 100;
/** After so long without progress nothing runs; the verdict then says what is missing. */
const stalledAfterMs = 30_000;

/** @param total requests of the user. */
export const connect = async (apiUrl: string, username: string, total: number): Promise<Connected> => ({
  client: await connectUser(apiUrl, username),
  progress: { username, total, accepted: 0, settled: 0 },
  sent: [],
});

const sendBurst = ({ client, progress, sent }: Connected): Promise<unknown> =>
  closedLoop({ count: progress.total, inFlight }, async (index) => {
    const request = { from: client.username, number: index + 1 };
    sent.push({ seq: await client.enqueue(request), request });
  });

/** Follows one user's queue until everything is settled or nothing moves any more. */
const watch = async ({ client, progress }: Connected, show: () => void): Promise<void> => {
  let movedAt = performance.now();
  while (progress.settled < progress.total && performance.now() - movedAt < stalledAfterMs) {
    const { accepted, settled } = await client.queue();
    if (settled !== progress.settled || accepted !== progress.accepted) movedAt = performance.now();
    Object.assign(progress, { accepted, settled });
    show();
    await sleep(readEveryMs);
  }
};

/** Sends all requests of a user and waits until they are settled. */
export const runBurst = async (user: Connected, show: () => void): Promise<void> => {
  await Promise.all([sendBurst(user), watch(user, show)]);
};

/** Reads the ledger first: it cannot be read any more when the session has ended. */
export const collect = async ({ client, sent }: Connected): Promise<UserHistory> => {
  const entries = await client.ledger();
  return { username: client.username, sent, entries, queue: await client.disconnect() };
};
