/**
 * Events for connections behind API Gateway. A worker posts those of the users whose lanes it owns. What a connection knows is kept with it, and
 * noted after each event that was posted: the next owner goes on there.
 */
import { sleep } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Deps } from '../deps.ts';
import { readCursor } from '../events/cursor.ts';
import { showIn } from '../http/event-stream.ts';
import { logSampled } from '../log-sampled.ts';
import type { ConnectionStore, Feed, FeedStream, SubscribedConnection } from '../ports.ts';
import { disconnect } from '../requests/disconnect.ts';
import { userQueueOf } from '../requests/user-queue.ts';
import { endedFrame, eventFrame } from './frame.ts';
import type { Post } from './post.ts';
import { whoOf } from './who.ts';

/** How soon a new subscription is noticed. */
const lookEveryMs = 2_000;
/** A worker posts to so many connections; more wait until some have ended. */
const maxFollowed = 2_000;

export type PosterDeps = Pick<Deps, 'userQueues' | 'ledger' | 'publisher' | 'clock' | 'log'> & {
  connections: ConnectionStore;
  feed: Feed;
  post: Post;
  config: Pick<Config, 'exposeErrors' | 'lanes'>;
};

/** @param lanes those that this worker owns. @returns what stops it. */
export const startPoster = (lanes: ReadonlySet<number>, deps: PosterDeps): (() => Promise<void>) => {
  const { connections, feed, post, clock, log } = deps;
  /** By the connection; absent in it while the stream is opened. */
  const followed = new Map<string, { subscriptionId: string; stream?: FeedStream }>();
  const stop = new AbortController();

  const forget = async ({ id, userId, login }: SubscribedConnection): Promise<void> => {
    if (login !== undefined) await disconnect({ userId, sessionId: id, pending: 'drain' }, deps);
    await connections.remove(id);
  };

  const postAll = async (connection: SubscribedConnection, stream: FeedStream): Promise<void> => {
    const { id, subscription } = connection;
    for await (const event of stream) {
      if (!(await post(id, eventFrame(event)))) return forget(connection);
      if (event.id !== undefined) await connections.advance(id, subscription.id, event.id);
    }
    if (stream.ended === 'session' || stream.ended === 'room') await post(id, endedFrame);
    if (stream.ended !== 'drain' && stream.ended !== 'closed') await connections.endSubscription(id, subscription.id);
  };

  const follow = async (connection: SubscribedConnection): Promise<void> => {
    const { id, userId, subscription } = connection;
    const own: { subscriptionId: string; stream?: FeedStream } = { subscriptionId: subscription.id };
    followed.set(id, own);
    try {
      const queue = await userQueueOf(userId, deps);
      const { after = '', seq } = subscription;
      const options = { who: whoOf(connection), queue, cursor: readCursor(after), seq, show: showIn(deps.config) };
      own.stream = await feed.open(options);
      await postAll(connection, own.stream);
    } catch (error) {
      // Followed again at the next look.
      logSampled(log, 'warn', { err: error, userId }, 'events could not be posted to a connection');
    } finally {
      own.stream?.close();
      if (followed.get(id) === own) followed.delete(id);
    }
  };

  const look = async (): Promise<void> => {
    const found = await connections.subscribed([...lanes], maxFollowed);
    const wanted = new Map(found.map((connection) => [connection.id, connection]));
    for (const [id, { subscriptionId, stream }] of followed)
      if (wanted.get(id)?.subscription.id !== subscriptionId) stream?.close();
    for (const connection of found) if (!followed.has(connection.id)) void follow(connection);
  };

  const looking = (async () => {
    while (!stop.signal.aborted) {
      if (lanes.size > 0)
        await look().catch((error) => logSampled(log, 'warn', { err: error }, 'a look for subscriptions failed'));
      await sleep(clock, lookEveryMs, stop.signal);
    }
  })();

  return async () => {
    stop.abort();
    for (const { stream } of followed.values()) stream?.close();
    await looking;
  };
};
