/** A few users who send all their requests at once. */
import type { LanekeeperClient, RequestPage, RequestState } from '../../client/index.ts';
import { closedLoop } from '../load.ts';
import { connectNewUser } from '../new-user.ts';
import type { Progress } from './progress.ts';
import type { UserHistory } from './verdict.ts';

export type Connected = { client: LanekeeperClient; progress: Progress; sent: UserHistory['sent'] };

/** Calls of one user that wait for their answer at the same time. */
const inFlight = 4;
/** After so long without progress nothing runs; the verdict then says what is missing. */
const stalledAfterMs = 30_000;

/** @param total requests of the user. */
export const connectUser = async (apiUrl: string, username: string, total: number): Promise<Connected> => ({
  client: await connectNewUser(apiUrl, username),
  progress: { username, total, accepted: 0, settled: 0 },
  sent: [],
});

const sendBurst = ({ client, progress, sent }: Connected): Promise<unknown> =>
  closedLoop({ count: progress.total, inFlight }, async (index) => {
    const request = { from: progress.username, number: index + 1 };
    const { seq } = await client.enqueue(request);
    sent.push({ seq, request });
  });

/** Follows one user's requests until all are settled or nothing moves any more. */
const watch = async ({ client, progress }: Connected, show: () => void): Promise<void> => {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(), stalledAfterMs);
  try {
    for await (const event of client.events({ after: '0', signal: stalled.signal })) {
      timer.refresh();
      if (event.type === 'queue') continue;
      progress.accepted = Math.max(progress.accepted, event.request.seq);
      if (event.type === 'settled') progress.settled += 1;
      show();
      if (progress.settled >= progress.total) return;
    }
  } catch (error) {
    if (!stalled.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
};

/** Sends all requests of a user and waits until they are settled. */
export const runBurst = async (user: Connected, show: () => void): Promise<void> => {
  await Promise.all([sendBurst(user), watch(user, show)]);
};

/** The whole ledger, page by page. */
const ledgerOf = async (client: LanekeeperClient): Promise<RequestState[]> => {
  const entries: RequestState[] = [];
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: RequestPage = await client.requests({ after, limit: 100 });
    entries.push(...page.requests);
    after = page.next;
  }
  return entries;
};

/** Reads the ledger first: it cannot be read any more when the session has ended. */
export const collect = async ({ client, progress, sent }: Connected): Promise<UserHistory> => {
  const entries = await ledgerOf(client);
  const { queue } = await client.disconnect({ waitSeconds: 20 });
  return { username: progress.username, sent, entries, queue };
};
