/** One look at all users that somebody listens to: it finds what no hint has told. */
import type { Deps } from '../deps.ts';
import type { EntryPhase, EventStore, WatchedQueue } from '../ports.ts';
import type { EntryId } from '../types.ts';
import type { Listener } from './listener.ts';
import { endForbidden, sessionOwners } from './still-allowed.ts';
import { noteQueue, type WatchedUser } from './watched-users.ts';
import { isNews } from './what-happened.ts';

/** In one query. */
const usersBatch = 500;
const phasesBatch = 1_000;

type LookDeps = Pick<Deps, 'clock' | 'apiKeys' | 'accounts'> & { events: EventStore };

const inBatches = async <T, R>(items: T[], size: number, read: (batch: T[]) => Promise<R[]>): Promise<R[]> => {
  const found: R[] = [];
  for (let first = 0; first < items.length; first += size)
    found.push(...(await read(items.slice(first, first + size))));
  return found;
};

const nameOf = ({ userId, seq }: EntryId): string => `${userId}:${seq}`;

/** The request whose phase shows whether there is news for the client, if there can be any. */
const watchedBy = ({ known, user }: Listener): EntryId | undefined => {
  if (!known || known.settledThrough >= user.accepted) return undefined;
  return { userId: user.userId, seq: known.settledThrough + 1 };
};

const noteQueues = (users: WatchedUser[], queues: Map<string, WatchedQueue>): void => {
  for (const user of users) {
    const queue = queues.get(user.userId);
    const { accepted } = user;
    if (!queue || !noteQueue(user, queue)) continue;
    for (const stream of user.streams) {
      if (user.accepted > accepted) stream.notify();
      stream.notifyOfQueue();
    }
  }
};

const notifyOfPhases = (streams: Listener[], phases: Map<string, EntryPhase>): void => {
  for (const stream of streams) {
    const watched = watchedBy(stream);
    const entry = watched && phases.get(nameOf(watched));
    if (entry && stream.known && isNews(stream.known, entry)) stream.notify();
  }
};

/** @throws {StoreUnavailableError} */
export const look = async (users: WatchedUser[], deps: LookDeps): Promise<void> => {
  const { events } = deps;
  const streams = users.flatMap((user) => [...user.streams]);
  const userIds = [...new Set([...users.map(({ userId }) => userId), ...sessionOwners(streams)])];
  const found = await inBatches(userIds, usersBatch, (batch) => events.queues(batch));
  const queues = new Map(found.map((queue) => [queue.userId, queue]));
  await endForbidden(streams, queues, deps);
  for (const user of users) user.hinted = user.accepted;
  noteQueues(users, queues);
  const watched = new Map(streams.flatMap((stream) => watchedBy(stream) ?? []).map((id) => [nameOf(id), id]));
  const phases = await inBatches([...watched.values()], phasesBatch, (batch) => events.phases(batch));
  notifyOfPhases(streams, new Map(phases.map((phase) => [nameOf(phase), phase])));
};
