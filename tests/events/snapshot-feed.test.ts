/** What watching a state costs, and what a client gets: with a clock that the test moves, and sessions and roles in MongoDB. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createSnapshotFeed } from '../../lib/events/snapshot-feed.ts';
import { createStreamPlaces } from '../../lib/events/stream-places.ts';
import { laneOf } from '../../lib/lane-of.ts';
import { createLogger } from '../../lib/log.ts';
import type { FeedEvent, Snapshot } from '../../lib/ports.ts';
import { FakeClock } from '../../lib/testing/fake-clock.ts';
import { uniqueName } from '../support/servers.ts';
import { eventually, openWorld, type TestUser, type World } from '../support/world.ts';

let world: World;
let operator: TestUser;
beforeAll(async () => {
  world = await openWorld();
  const { accounts, userQueues } = world.stores;
  const username = uniqueName('operator');
  const userId = (await accounts.create(username, 'hash')) ?? '';
  await accounts.setRole(username, 'operator');
  const lane = laneOf(userId, world.config.lanes);
  await userQueues.create(userId, lane, new Date());
  operator = await world.login({ userId, lane });
});
afterAll(() => world?.[Symbol.asyncDispose]());

const times = { heartbeatMs: 15_000, maxAgeMs: 20_000 };

/** `change`: the next read finds another state. `showReads`: it has something in it that makes no other version, as the time of the overview. */
const openFeed = ({ showReads = false } = {}) => {
  const clock = new FakeClock(new Date());
  let reads = 0;
  let version = 1;
  const show = () => (showReads ? `{"read":${reads}}` : `{"n":${version}}`);
  const read = async (): Promise<Snapshot> => {
    reads += 1;
    return { version: `${version}`, json: show() };
  };
  const log = createLogger('silent');
  const feed = createSnapshotFeed({ ...world.stores, clock, log, places: createStreamPlaces(world.config), read });
  const change = (): void => {
    version += 1;
  };
  /** Lets a second pass, and waits until the state has been read. */
  const look = async (): Promise<void> => {
    const before = reads;
    await eventually('the next look', () => reads > before || (clock.fireNext(clock.monotonicMs() + 1_000) && false));
  };
  const open = async (signal?: AbortSignal) => {
    const stream = await feed.open({ who: operator, signal, ...times });
    return stream[Symbol.asyncIterator]();
  };
  return { feed, clock, change, look, open, reads: () => reads };
};

const next = async (stream: AsyncIterator<FeedEvent>) => (await stream.next()).value as FeedEvent | undefined;

test('ten who watch cost one read a look, and nobody costs none', async () => {
  const { open, change, look, reads, clock } = openFeed();
  const gone = new AbortController();
  const streams = await Promise.all(Array.from({ length: 10 }, () => open(gone.signal)));
  const all = () => Promise.all(streams.map(async (stream) => (await next(stream))?.id));
  expect(await all()).toEqual(Array(10).fill('1'));
  const before = reads();
  for (const expected of ['2', '3', '4']) {
    change();
    const told = all();
    await look();
    expect(await told).toEqual(Array(10).fill(expected));
  }
  expect(reads()).toBe(before + 3);
  gone.abort();
  while (clock.fireNext());
  expect(reads()).toBe(before + 3);
});

test('a client that does not read finds the newest state, and none twice', async () => {
  const { open, change, look, clock } = openFeed();
  const stream = await open();
  expect(await next(stream)).toEqual({ type: 'overview', id: '1', json: '{"n":1}' });
  for (let n = 0; n < 3; n += 1) {
    change();
    await look();
  }
  // The look before was told when the next one began.
  await look();
  expect((await next(stream))?.id).toBe('4');
  const quiet = next(stream);
  while (clock.monotonicMs() < times.heartbeatMs + 5_000) await look();
  expect(await quiet).toEqual({ type: 'idle', json: '' });
  await stream.return?.();
});

test('a stream ends at its age', async () => {
  const { open, look, clock } = openFeed();
  const stream = await open();
  let endedAt: number | undefined;
  const ended = (async () => {
    while (await next(stream));
    endedAt = clock.monotonicMs();
  })();
  while (clock.monotonicMs() < times.maxAgeMs - 1_000) await look();
  await eventually('its end', () => endedAt ?? (clock.fireNext(clock.monotonicMs() + 1_000) && false));
  await ended;
  expect(endedAt).toBe(times.maxAgeMs);
});

test('who waited in vain gets the state as it is after the wait, not as it was before', async () => {
  const { feed, look, clock, reads } = openFeed({ showReads: true });
  let page: Snapshot | undefined;
  const waiting = feed.take({ who: operator, known: '1', waitMs: 5_000 }).then((taken) => {
    page = taken;
  });
  while (clock.monotonicMs() < 4_000) await look();
  const before = reads();
  expect(before).toBeGreaterThan(3);
  await eventually('the end of the wait', () => page || (clock.fireNext(clock.monotonicMs() + 1_000) && false));
  await waiting;
  expect(page?.version).toBe('1');
  const { read } = JSON.parse(page?.json ?? '');
  expect(read).toBeGreaterThanOrEqual(before);
});
