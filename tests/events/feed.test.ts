/** The feed on real servers: what it tells, by hints and without them, and what ends it. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import mongoose from 'mongoose';
import { createHintReceiver } from '../../lib/broker/hint-receiver.ts';
import { cursorAfter, readCursor } from '../../lib/events/cursor.ts';
import { createFeed, type FeedTimes } from '../../lib/events/feed.ts';
import { createStreamPlaces } from '../../lib/events/stream-places.ts';
import { showIn } from '../../lib/http/event-stream.ts';
import { createLogger } from '../../lib/log.ts';
import type { Feed, FeedEvent, FeedOptions, FeedStream, RunRequest } from '../../lib/ports.ts';
import { acceptRequests } from '../../lib/requests/accept.ts';
import { cancelRequest } from '../../lib/requests/cancel.ts';
import { cancelAll } from '../../lib/requests/cancel-many.ts';
import type { UserQueue } from '../../lib/types.ts';
import { eventually, openWorld, type TestUser, type World } from '../support/world.ts';

jest.setTimeout(60_000);

/** So seldom that a test does not see it. */
const never = 3_600_000;

let world: World;
const runs = new Map<string, PromiseWithResolvers<string>>();
const nameOf = ({ userId, seq }: { userId: string; seq: number }) => `${userId} ${seq}`;

/** A run that the test ends. */
const heldRun: RunRequest = async (run) => {
  const held = Promise.withResolvers<string>();
  runs.set(nameOf(run), held);
  return { kind: 'done', result: await held.promise };
};
const endRun = async (user: TestUser, seq: number, result = '1'): Promise<void> => {
  const held = await eventually(`request ${seq} runs`, () => runs.get(nameOf({ ...user, seq })));
  held.resolve(result);
};

beforeAll(async () => {
  world = await openWorld();
  world.work(heldRun, { stores: {} });
});
afterAll(() => world?.[Symbol.asyncDispose]());

const feeds: Feed[] = [];
afterAll(() => Promise.all(feeds.map((feed) => feed.close())));

type Limits = Partial<World['config']>;

const openFeed = ({
  hints = false,
  limits = {},
  ...times
}: Partial<FeedTimes> & { hints?: boolean; limits?: Limits } = {}) => {
  const config = { ...world.config, ...limits };
  const log = createLogger('silent');
  const openHints = hints
    ? (heard: (userId: string, seq?: number) => void) => createHintReceiver(config, log, heard)
    : undefined;
  const feed = createFeed({ ...world.stores, log, places: createStreamPlaces(config), openHints }, times);
  feeds.push(feed);
  return feed;
};

const open = async (feed: Feed, user: TestUser, options: Partial<FeedOptions> = {}): Promise<FeedStream> => {
  const queue = await world.queue(user);
  if (!queue) throw new Error('no queue');
  return feed.open({ who: user, queue, show: showIn({ exposeErrors: 'marked' }), ...options });
};

const textOf = ({ type, json }: FeedEvent) => {
  const { request } = JSON.parse(json || '{}');
  return request ? `${type} ${request.seq} ${request.status}` : type;
};

/** Collects what a stream yields. */
const collect = (stream: FeedStream) => {
  const events: FeedEvent[] = [];
  const ended = (async () => {
    for await (const event of stream) events.push(event);
  })();
  const told = () => events.filter(({ type }) => type !== 'queue' && type !== 'idle').map(textOf);
  const has = (text: string) => eventually(`${text}, of ${told()}`, () => told().includes(text));
  return { events, ended, told, has };
};

const whole = (seq: number) => [`accepted ${seq} queued`, `started ${seq} processing`, `settled ${seq} done`];

describe('a stream', () => {
  test('tells a new client what is not settled, and then what happens, by hints alone', async () => {
    const user = await world.user();
    const feed = openFeed({ hints: true, lookEveryMs: never, lookSoonMs: never });
    await world.enqueue(user, 'a');
    await endRun(user, 1);
    await world.settled(user, 1);
    await world.enqueue(user, 'b');
    await world.enqueue(user, 'c');
    await eventually('the second runs', () => runs.get(nameOf({ ...user, seq: 2 })));
    const stream = await open(feed, user);
    const { told, has, events } = collect(stream);
    await has('accepted 3 queued');
    expect(told()).toEqual(['started 2 processing', 'accepted 3 queued']);
    // Nobody has told this process of the user yet: a lane is silent for a second at most.
    await eventually('a hint arrives', async () => {
      await world.enqueue(user, 'again');
      return told().length > 2;
    });
    await endRun(user, 2);
    await has('settled 2 done');
    await endRun(user, 3);
    await has('settled 3 done');
    expect(told().filter((text) => / [23] /.test(text))).toEqual([
      ...['started 2 processing', 'accepted 3 queued', 'settled 2 done', 'started 3 processing', 'settled 3 done'],
    ]);
    const last = events.findLast(({ type }) => type === 'settled');
    expect(last?.id).toMatch(/^3\./);
    expect(JSON.parse(last?.json ?? '')).toMatchObject({ request: { seq: 3, result: 1, attempts: 1 } });
    stream.close();
  });

  test('tells the same without any hint, and goes on from every id without a gap or a repetition', async () => {
    const user = await world.user();
    const feed = openFeed();
    const { ended, told, has, events } = collect(await open(feed, user));
    for (const seq of [1, 2, 3]) {
      await world.enqueue(user, seq);
      await has(`started ${seq} processing`);
      await endRun(user, seq);
      await has(`settled ${seq} done`);
    }
    // A state between two looks may be left out.
    expect(told().filter((text) => !text.startsWith('accepted'))).toEqual(
      [1, 2, 3].flatMap((seq) => whole(seq).slice(1)),
    );
    await world.enqueue(user, 'cancelled');
    await has('started 4 processing');
    await world.enqueue(user, 'cancelled');
    await has('accepted 5 queued');
    await cancelRequest({ ...user, seq: 5 }, world.deps);
    await endRun(user, 4);
    await has('settled 5 cancelled');
    const requests = events.filter(({ id }) => id !== undefined);
    const settled = told().filter((text) => text.startsWith('settled'));
    for (const [index, { id = '' }] of requests.entries()) {
      const page = await (await open(feed, user, { cursor: readCursor(id), once: true })).take(0);
      const before = requests.slice(0, index + 1).map(textOf);
      expect(page.map(textOf)).toEqual(settled.filter((text) => !before.includes(text)));
    }
    feed.drain();
    await ended;
    expect(feed.streams()).toBe(0);
  });

  test('tells of each of many requests that one call cancels, while the one before them runs', async () => {
    const user = await world.user();
    const feed = openFeed({ hints: true, lookEveryMs: never, lookSoonMs: never });
    const requests = Array.from({ length: 300 }, (_, index) => ({ body: String(index) }));
    await acceptRequests({ ...user, requests }, world.deps);
    await eventually('the first runs', () => runs.get(nameOf({ ...user, seq: 1 })));
    const { told, has } = collect(await open(feed, user));
    await has('accepted 300 queued');
    await eventually('a hint arrives', async () => {
      await world.enqueue(user, 'again');
      return told().length > 300;
    });
    const queue = (await world.queue(user)) as UserQueue;
    const { cancelled } = await cancelAll(queue, {}, world.deps);
    const heard = () => told().filter((text) => text.endsWith('cancelled'));
    await eventually('all are told', () => heard().length === cancelled);
    expect(new Set(heard()).size).toBe(queue.accepted - 1);
    await endRun(user, 1);
    await has('settled 1 done');
  });

  test('goes on behind requests that were deleted from the ledger', async () => {
    const user = await world.user();
    for (const seq of [1, 2, 3, 4]) {
      await world.enqueue(user, seq);
      await endRun(user, seq);
      await world.settled(user, seq);
    }
    await eventually('the progress is written down', async () => (await world.queue(user))?.settled === 4);
    const connection = await mongoose.createConnection(world.config.mongodbUrl).asPromise();
    const deleted = await connection
      .collection('requests')
      .deleteMany({ userId: user.userId, seq: { $in: [1, 2, 4] } });
    await connection.close();
    expect(deleted.deletedCount).toBe(3);

    const ofAll = await open(openFeed(), user, { cursor: cursorAfter(0), once: true });
    expect((await ofAll.take(0)).map(textOf)).toEqual(['settled 3 done']);
    const rest = await open(openFeed(), user, { cursor: readCursor(ofAll.cursor), once: true });
    expect(await rest.take(0)).toEqual([]);
    expect(rest.cursor).toBe('4');
    const ofOne = await open(openFeed(), user, { seq: 2 });
    expect(await ofOne.take(0)).toEqual([]);
    expect(ofOne.ended).toBe('settled');
    const { has } = collect(await open(openFeed(), user, { cursor: cursorAfter(0) }));
    await world.enqueue(user, 5);
    await has('started 5 processing');
    await endRun(user, 5);
  });

  test('of one request says its position, and ends with it', async () => {
    const user = await world.user();
    for (const seq of [1, 2, 3]) await world.enqueue(user, seq);
    const stream = await open(openFeed(), user, { seq: 3 });
    const { ended, told, has, events } = collect(stream);
    await has('accepted 3 queued');
    const positions = () =>
      events.filter(({ type }) => type === 'queue').map(({ json }) => JSON.parse(json).queue.position);
    await eventually('a position', () => positions().at(-1) === 3);
    await endRun(user, 1);
    await eventually('a better position', () => positions().at(-1) === 2);
    await endRun(user, 2);
    await has('started 3 processing');
    await endRun(user, 3);
    await ended;
    expect(told()).toEqual(whole(3));
    expect(stream.ended).toBe('settled');
    expect(stream.cursor).toBe('3');
    const again = await open(openFeed(), user, { seq: 3, cursor: readCursor('0') });
    expect((await again.take(0)).map(textOf)).toEqual(['settled 3 done']);
    expect(await (await open(openFeed(), user, { seq: 3, cursor: readCursor('3') })).take(20_000)).toEqual([]);
  });

  test('has results of up to 16 KiB, and names the place of a larger one', async () => {
    const user = await world.user();
    const feed = openFeed();
    const { has, events } = collect(await open(feed, user));
    const results = [
      JSON.stringify('x'.repeat(16_382)),
      JSON.stringify('x'.repeat(16_383)),
      JSON.stringify('ä'.repeat(9_000)),
    ];
    for (const [index, result] of results.entries()) {
      await world.enqueue(user, index);
      await endRun(user, index + 1, result);
      await has(`settled ${index + 1} done`);
    }
    const shown = events.filter(({ type }) => type === 'settled').map(({ json }) => JSON.parse(json).request);
    expect(shown[0].result).toHaveLength(16_382);
    expect(shown[0].resultUrl).toBeUndefined();
    expect(shown.slice(1)).toMatchObject([{ resultUrl: '/requests/2' }, { resultUrl: '/requests/3' }]);
    for (const { result } of shown.slice(1)) expect(result).toBeUndefined();
  });

  test('tells the queue at most once a second, and the newest state at the end', async () => {
    const user = await world.user();
    const { events } = collect(await open(openFeed(), user));
    const queues = () => events.filter(({ type }) => type === 'queue').map(({ json }) => JSON.parse(json).queue);
    await eventually('the first', () => queues().length > 0);
    const startedAt = performance.now();
    for (let seq = 1; seq <= 20; seq += 1) {
      await world.enqueue(user, seq);
      await endRun(user, seq);
    }
    await eventually('all are settled', () => queues().at(-1)?.settled === 20);
    expect(queues().length).toBeLessThanOrEqual(2 + (performance.now() - startedAt) / 1_000);
    expect(queues()[0]).toEqual({ accepted: 0, settled: 0, pending: 0, state: 'closed' });
    expect(queues().at(-1)).toEqual({ accepted: 20, settled: 20, pending: 0, state: 'open' });
  });

  test('replays a long history in its order, and reads no further than its client', async () => {
    const user = await world.user();
    for (let seq = 1; seq <= 70; seq += 1) await world.enqueue(user, seq);
    for (let seq = 1; seq <= 40; seq += 1) await endRun(user, seq);
    await eventually('the next runs', () => runs.get(nameOf({ ...user, seq: 41 })));
    let readSeqs = 0;
    const events = {
      ...world.stores.events,
      entries: async (ids: { userId: string; seq: number }[]) => {
        readSeqs += ids.length;
        return world.stores.events.entries(ids);
      },
    };
    const feed = createFeed({
      ...world.stores,
      events,
      places: createStreamPlaces(world.config),
      log: createLogger('silent'),
    });
    feeds.push(feed);
    const stream = await open(feed, user, { cursor: readCursor('0') });
    const iterator = stream[Symbol.asyncIterator]();
    const first = await iterator.next();
    expect(textOf(first.value as FeedEvent)).toBe('settled 1 done');
    expect(readSeqs).toBeLessThanOrEqual(32);
    const told = ['settled 1 done'];
    while (told.length < 70) {
      const { value } = await iterator.next();
      if ((value as FeedEvent).type !== 'queue') told.push(textOf(value as FeedEvent));
    }
    const settled = Array.from({ length: 40 }, (_, index) => `settled ${index + 1} done`);
    const waiting = Array.from({ length: 29 }, (_, index) => `accepted ${index + 42} queued`);
    expect(told.filter((text) => text.startsWith('settled'))).toEqual(settled);
    expect(told.filter((text) => text.startsWith('accepted')).slice(-29)).toEqual(waiting);
    expect(told).toContain('started 41 processing');
    await iterator.return?.(undefined);
    expect(stream.ended).toBe('closed');
  });

  test('ends with its session, with its age, and when its client has gone', async () => {
    const user = await world.user();
    const feed = openFeed();
    const byAge = await open(feed, user, { maxAgeMs: 100 });
    await collect(byAge).ended;
    expect(byAge.ended).toBe('age');
    const gone = new AbortController();
    const abandoned = await open(feed, user, { signal: gone.signal });
    const waiting = collect(abandoned).ended;
    gone.abort();
    await waiting;
    expect(abandoned.ended).toBe('gone');
    const ofOther = await open(feed, await world.login(user));
    const ended = await open(feed, user);
    const ending = collect(ended).ended;
    await world.stores.userQueues.removeSession(user.userId, user.sessionId);
    await ending;
    expect(ended.ended).toBe('session');
    expect(ofOther.ended).toBeUndefined();
    expect(feed.streams()).toBe(1);
  });

  test('yields a heartbeat when nothing happens', async () => {
    const { events } = collect(await open(openFeed(), await world.user(), { heartbeatMs: 50 }));
    await eventually('three heartbeats', () => events.filter(({ type }) => type === 'idle').length >= 3);
  });

  test('has its limits, and makes room for a user with fewer', async () => {
    const limits = { maxStreams: 4, maxUserStreams: 3, maxSessionStreams: 2, maxKeyStreams: 1 };
    const feed = openFeed({ limits, lookSoonMs: never });
    const user = await world.user();
    const streams = [await open(feed, user), await open(feed, user)];
    await expect(open(feed, user)).rejects.toMatchObject({ status: 429, code: 'too-many-streams' });
    const second = await world.login(user);
    streams.push(await open(feed, second));
    await expect(open(feed, second)).rejects.toMatchObject({ status: 429, code: 'too-many-streams' });
    const byKey = { who: { keyId: 'key' } };
    await open(feed, await world.user(), byKey);
    await expect(open(feed, user, byKey)).rejects.toMatchObject({ code: 'too-many-streams' });
    for (const ended of [
      ['room', undefined, undefined],
      ['room', 'room', undefined],
    ]) {
      await open(feed, await world.user());
      expect(streams.map((stream) => stream.ended)).toEqual(ended);
    }
    await expect(open(feed, await world.user())).rejects.toMatchObject({ status: 503, code: 'busy' });
    await (await open(feed, user, { once: true })).take(0);
    expect(feed.streams()).toBe(4);
  });
});
