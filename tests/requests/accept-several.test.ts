import { describe, expect, test } from '@jest/globals';
import { StoreUnavailableError } from '../../lib/errors.ts';
import { type AcceptDeps, acceptRequests, type RequestToAccept } from '../../lib/requests/accept.ts';
import { done, quickRuns } from '../lanes/runs.ts';
import { openWorld, recordPublished, type TestUser, type World } from '../support/world.ts';

const accept = (world: World, user: TestUser, requests: RequestToAccept[], deps: Partial<AcceptDeps> = {}) =>
  acceptRequests({ userId: user.userId, sessionId: user.sessionId, requests }, { ...world.deps, ...deps });

const bodies = (...texts: string[]): RequestToAccept[] => texts.map((body) => ({ body }));

const keyed = (...keys: string[]): RequestToAccept[] => keys.map((key) => ({ body: `"${key}"`, key }));

/** The bodies in the ledger by `seq`; a tombstone has none. */
const ledgerOf = async (world: World, user: TestUser, upTo: number): Promise<(string | undefined)[]> =>
  Promise.all(Array.from({ length: upTo }, async (_, index) => (await world.entry(user, index + 1))?.body));

/** Records the lanes that are woken too, in place of waking them. */
const recordWakes = (world: World) => {
  const { published, publisher } = recordPublished(world);
  const wakes: number[] = [];
  const publishWake: AcceptDeps['publisher']['publishWake'] = async (lane) => {
    wakes.push(lane);
    return 'routed';
  };
  return { published, wakes, publisher: { ...publisher, publishWake } };
};

const away = new StoreUnavailableError('MongoDB did not answer within 5000 ms.');

describe('a call with several requests', () => {
  test('gets one ticket for all of them, in their order, and they run in that order', async () => {
    await using world = await openWorld();
    const user = await world.user();
    await world.enqueue(user, 'before');
    const answers = await accept(world, user, bodies('1', '22', '333'));
    expect(answers).toEqual([2, 3, 4].map((seq) => ({ seq, status: 'queued', position: seq })));
    expect(await ledgerOf(world, user, 4)).toEqual(['"before"', '1', '22', '333']);
    const through = await Promise.all([2, 3, 4].map(async (seq) => (await world.entry(user, seq))?.bytesThrough));
    expect(through).toEqual([9, 11, 14]);
    const runs = quickRuns(() => done);
    world.work(runs.runRequest);
    await world.settled(user, 4);
    expect(runs.seqs(user)).toEqual([1, 2, 3, 4]);
  });

  test('publishes each to an open queue, and wakes the lane once otherwise', async () => {
    await using world = await openWorld();
    const user = await world.user();
    const { published, publisher, wakes } = recordWakes(world);
    await accept(world, user, bodies('1', '2'), { publisher });
    expect([wakes, published]).toEqual([[user.lane], []]);
    await accept(world, user, bodies('3', '4'), { publisher });
    expect(wakes).toEqual([user.lane]);
    expect(published).toMatchObject([
      { seq: 3, body: '3' },
      { seq: 4, body: '4' },
    ]);
  });

  test('is refused as a whole by a limit, which says how many there are', async () => {
    await using world = await openWorld({ maxPending: 3 });
    const user = await world.user();
    await accept(world, user, bodies('1', '2'));
    await expect(accept(world, user, bodies('3', '4'))).rejects.toThrow(
      '2 requests are pending, and this call has 2; the limit is 3 (MAX_PENDING). Wait until some of them are settled, or cancel some.',
    );
    const neverFits = accept(world, user, bodies('3', '4', '5', '6'));
    await expect(neverFits).rejects.toThrow('Send fewer requests in one call.');
    await expect(neverFits).rejects.toMatchObject({ retryAfterSeconds: undefined });
    expect(await world.queue(user)).toMatchObject({ accepted: 2 });
  });

  test('answers those whose key is known as repeats, and gives the others a ticket', async () => {
    await using world = await openWorld();
    const user = await world.user();
    await accept(world, user, keyed('a', 'b'));
    const answers = await accept(world, user, keyed('c', 'b', 'd'));
    expect(answers.map(({ seq }) => seq)).toEqual([3, 2, 4]);
    expect(await ledgerOf(world, user, 4)).toEqual(['"a"', '"b"', '"c"', '"d"']);
  });

  test('is refused as a whole when one of its keys belongs to something else', async () => {
    await using world = await openWorld();
    const user = await world.user();
    await accept(world, user, keyed('a'));
    const reused = accept(world, user, [{ body: '1' }, { body: '2', key: 'a' }]);
    await expect(reused).rejects.toMatchObject({ code: 'idempotency-key-reused', status: 422 });
    expect(await world.queue(user)).toMatchObject({ accepted: 1 });
  });

  test('gets the other request of a key that another call recorded meanwhile, and a tombstone in its place', async () => {
    await using world = await openWorld();
    const user = await world.user();
    await accept(world, user, keyed('b'));
    let looked = 0;
    const findByKey: AcceptDeps['ledger']['findByKey'] = async (...key) => {
      looked += 1;
      return looked <= 3 ? undefined : world.stores.ledger.findByKey(...key);
    };
    const answers = await accept(world, user, keyed('a', 'b', 'c'), { ledger: { ...world.stores.ledger, findByKey } });
    expect(answers.map(({ seq }) => seq)).toEqual([2, 1, 4]);
    expect(await ledgerOf(world, user, 4)).toEqual(['"b"', '"a"', undefined, '"c"']);
    expect(await world.entry(user, 3)).toMatchObject({ status: 'abandoned', bytes: 3, bytesThrough: 9 });
  });

  test('keeps its order when another call records one of its keys behind its ticket', async () => {
    await using world = await openWorld();
    const user = await world.user();
    let other: Promise<unknown> | undefined;
    const insertInOrder: AcceptDeps['ledger']['insertInOrder'] = async (entries) => {
      other ??= accept(world, user, keyed('b'));
      await other;
      return world.stores.ledger.insertInOrder(entries);
    };
    const ledger = { ...world.stores.ledger, insertInOrder };
    const answers = await accept(world, user, keyed('a', 'b', 'c', 'd'), { ledger });
    expect(answers.map(({ seq }) => seq)).toEqual([1, 5, 6, 7]);
    expect(await ledgerOf(world, user, 7)).toEqual(['"a"', undefined, undefined, undefined, '"b"', '"c"', '"d"']);
    for (const seq of [2, 3, 4]) expect(await world.entry(user, seq)).toMatchObject({ status: 'abandoned' });
  });

  test('keeps its order when a tombstone has fenced the beginning of its ticket', async () => {
    await using world = await openWorld();
    const user = await world.user();
    await world.stores.ledger.insertTombstone({ userId: user.userId, seq: 2 }, new Date());
    const answers = await accept(world, user, bodies('1', '2', '3'));
    expect(answers.map(({ seq }) => seq)).toEqual([1, 4, 5]);
    expect(await ledgerOf(world, user, 5)).toEqual(['1', undefined, undefined, '2', '3']);
    expect(await world.entry(user, 3)).toMatchObject({ status: 'abandoned' });
  });

  test('can be repeated with its keys after it failed half-way, and goes on behind what was recorded', async () => {
    await using world = await openWorld();
    const user = await world.user();
    const insertInOrder: AcceptDeps['ledger']['insertInOrder'] = async (entries) => {
      await world.stores.ledger.insertInOrder(entries.slice(0, 2));
      throw new StoreUnavailableError('MongoDB did not answer within 5000 ms.');
    };
    const failing = accept(world, user, keyed('a', 'b', 'c'), { ledger: { ...world.stores.ledger, insertInOrder } });
    await expect(failing).rejects.toMatchObject({ status: 503 });
    const answers = await accept(world, user, keyed('a', 'b', 'c'));
    expect(answers.map(({ seq }) => seq)).toEqual([1, 2, 4]);
  });

  test('wakes the lane when a later step fails, and fails with the error of that step', async () => {
    await using world = await openWorld();
    const user = await world.user();
    await accept(world, user, keyed('opens the queue', 'c'));
    const { published, publisher, wakes } = recordWakes(world);
    const ledger: AcceptDeps['ledger'] = {
      ...world.stores.ledger,
      // As if another call recorded the key meanwhile.
      findByKey: async () => undefined,
      insertTombstone: () => Promise.reject(away),
      insert: () => Promise.reject(away),
    };
    await expect(accept(world, user, keyed('a', 'b', 'c'), { publisher, ledger })).rejects.toBe(away);
    expect(await ledgerOf(world, user, 4)).toEqual(['"opens the queue"', '"c"', '"a"', '"b"']);
    await expect(accept(world, user, bodies('1'), { publisher, ledger })).rejects.toBe(away);
    expect([wakes, published]).toEqual([[user.lane, user.lane], []]);
    const failing = { ...publisher, publishWake: () => Promise.reject(new Error('no broker')) };
    await expect(accept(world, user, bodies('1'), { publisher: failing, ledger })).rejects.toBe(away);
  });

  test('can be repeated when its beginning is recorded and a limit refuses the rest', async () => {
    await using world = await openWorld({ enqueueRate: 1 });
    const [begun, fenced] = [await world.user(), await world.user()];
    await world.stores.ledger.insertTombstone({ userId: begun.userId, seq: 2 }, new Date());
    const now = new Date();
    const clock = { ...world.deps.clock, now: () => now };
    const refused = { code: 'not-recorded-in-time', status: 503, retryAfterSeconds: 3 };
    await expect(accept(world, begun, keyed('a', 'b', 'c'), { clock })).rejects.toMatchObject(refused);
    expect(await ledgerOf(world, begun, 4)).toEqual(['"a"', undefined, undefined, undefined]);
    await world.stores.ledger.insertTombstone({ userId: fenced.userId, seq: 1 }, new Date());
    const nothing = accept(world, fenced, keyed('a', 'b', 'c'), { clock });
    await expect(nothing).rejects.toMatchObject({ code: 'enqueue-rate-exceeded', status: 429 });
  });

  test.each([
    ['a tombstone', []],
    ['a key of another request', keyed('b')],
  ])('can be repeated when its beginning is recorded and its session ends before %s', async (_what, others) => {
    await using world = await openWorld();
    const user = await world.user();
    const { userId, sessionId } = user;
    const first = others.length + 1;
    if (others.length > 0) await accept(world, user, others);
    else await world.stores.ledger.insertTombstone({ userId, seq: first + 1 }, new Date());
    const ledger: AcceptDeps['ledger'] = {
      ...world.stores.ledger,
      insertInOrder: async (entries) => {
        const answer = await world.stores.ledger.insertInOrder(entries);
        await world.stores.userQueues.removeSession(userId, sessionId);
        return answer;
      },
    };
    let looked = 0;
    ledger.findByKey = async (...key) => {
      looked += 1;
      return looked <= 2 ? undefined : world.stores.ledger.findByKey(...key);
    };
    const ended = accept(world, user, keyed('a', 'b'), { ledger });
    await expect(ended).rejects.toMatchObject({ code: 'not-recorded-in-time', status: 503 });
    expect(await world.entry(user, first)).toMatchObject({ body: '"a"' });
  });
});
