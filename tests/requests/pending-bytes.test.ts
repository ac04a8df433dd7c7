/** What counts as a user's pending bytes, whatever its requests, its owner and the counts of refused calls do in between. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { systemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import { type AcceptDeps, acceptRequest } from '../../lib/requests/accept.ts';
import { openStores, type Stores } from '../../lib/store/stores.ts';
import { isSettled, type LedgerEntry } from '../../lib/types.ts';
import { testConfig, uniqueName } from '../support/servers.ts';

jest.setTimeout(120_000);

const limit = 100;
const config = { ...testConfig(), maxPending: 50, maxPendingBytes: limit };
let stores: Stores;

beforeAll(() => {
  stores = openStores(config);
});
afterAll(async () => {
  await stores.drop();
  await stores.close();
});

/** A user whose consumer does only what the test says. Each call may count, because a minute has passed since the call before. */
const openUser = async () => {
  const { userQueues, ledger } = stores;
  const userId = uniqueName('user');
  let now = Date.now();
  const clock = { ...systemClock, now: () => new Date(now) };
  await userQueues.create(userId, 1, clock.now());
  const publisher = { publishRequest: async () => 'routed', publishWake: async () => undefined };
  const deps = { userQueues, ledger, publisher, clock, config, log: createLogger('silent') } as unknown as AcceptDeps;
  const owner = { settled: 0, settledBytes: 0 };

  const queue = async () => {
    const [found] = await userQueues.get([userId]);
    if (!found) throw new Error('no user queue');
    return found;
  };
  const entries = async (): Promise<LedgerEntry[]> => {
    const { accepted } = await queue();
    return ledger.read(Array.from({ length: accepted }, (_, index) => ({ userId, seq: index + 1 })));
  };
  const pending = async () => (await entries()).filter((entry) => !isSettled(entry)).sort((a, b) => a.seq - b.seq);
  const call = async (bytes: number, ledgerOfCall: Partial<AcceptDeps['ledger']> = {}, key?: string) => {
    now += 60_000;
    const command = { userId, sessionId: undefined, body: 'x'.repeat(bytes), ...(key ? { key } : {}) };
    const ofCall = { ...deps, ledger: { ...ledger, ...ledgerOfCall } };
    return acceptRequest(command, ofCall).then(
      ({ seq }) => seq,
      () => undefined,
    );
  };
  const cancel = async (one: LedgerEntry | undefined) => void (one && (await ledger.cancel(one, clock.now())));

  return {
    queue,
    enqueue: (bytes: number) => call(bytes),
    /** The function dies between the ticket and the record. */
    lose: (bytes: number) => call(bytes, { insert: () => Promise.reject(new Error('gone')) }),
    /** Another call with the same key was faster, and the ticket becomes a tombstone. */
    abandon: (bytes: number) =>
      call(bytes, { findByKey: async () => undefined, insert: async () => 'duplicate-key' }, 'key'),
    cancel: async (which: number) => cancel((await pending())[which]),
    cancelAll: async () => {
      for (const one of await pending()) await cancel(one);
    },
    /** The owner settles the next request, or finds a gap. */
    settle: async () => {
      const seq = owner.settled + 1;
      if (seq > (await queue()).accepted) return;
      await ledger.insertTombstone({ userId, seq }, clock.now());
      const [entry] = await ledger.read([{ userId, seq }]);
      await cancel(entry);
      owner.settled = seq;
      owner.settledBytes = Math.max(owner.settledBytes, entry?.bytesThrough ?? 0);
    },
    /** An owner of an older version does not know the bytes. */
    flush: ({ isOld }: { isOld: boolean }) =>
      userQueues.flushSettled(
        [{ userId, settled: owner.settled, advanced: true, ...(isOld ? {} : { settledBytes: owner.settledBytes }) }],
        clock.now(),
      ),
    counted: async () => {
      const { acceptedBytes = 0, settledBytes = 0, countedBytes = 0 } = await queue();
      return acceptedBytes - Math.max(settledBytes, countedBytes);
    },
    real: async () => (await pending()).reduce((sum, { bytes = 0 }) => sum + bytes, 0),
  };
};

type User = Awaited<ReturnType<typeof openUser>>;

const bytes = fc.integer({ min: 1, max: limit });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('enqueue' as const), with: bytes }) },
  fc.record({ do: fc.constant('lose' as const), with: bytes }),
  fc.record({ do: fc.constant('abandon' as const), with: bytes }),
  fc.record({ do: fc.constant('cancel' as const), with: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ do: fc.constant('cancelAll' as const), with: fc.constant(0) }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('settle' as const), with: fc.constant(0) }) },
  fc.record({ do: fc.constant('flush' as const), with: fc.integer({ min: 0, max: 1 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const take = (user: User, { do: what, with: value }: Step): Promise<unknown> =>
  what === 'flush' ? user.flush({ isOld: value === 1 }) : user[what](value);

test('counted pending bytes are never below the real ones, and at rest they are the real ones', async () => {
  const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
    const user = await openUser();
    for (const one of steps) {
      await take(user, one);
      expect(await user.counted()).toBeGreaterThanOrEqual(await user.real());
    }
    for (const _ of steps) await user.settle();
    await user.flush({ isOld: true });
    expect(await user.enqueue(limit)).toBeDefined();
    expect(await user.counted()).toBe(limit);
  });
  await fc.assert(property, { numRuns: 25, interruptAfterTimeLimit: 60_000 });
});

test('a user without a consumer who cancels everything may fill the limit again, and no more than the limit', async () => {
  const user = await openUser();
  for (let round = 0; round < 5; round += 1) {
    expect(await user.enqueue(40)).toBeDefined();
    expect(await user.enqueue(60)).toBeDefined();
    expect(await user.enqueue(1)).toBeUndefined();
    expect(await user.real()).toBe(limit);
    await user.cancelAll();
  }
});

test('what an owner of an older version has settled is not pending', async () => {
  const user = await openUser();
  expect(await user.enqueue(10)).toBeDefined();
  for (let round = 0; round < 5; round += 1) {
    expect(await user.enqueue(90)).toBeDefined();
    await user.settle();
    await user.flush({ isOld: true });
    expect(await user.enqueue(10)).toBeDefined();
    await user.settle();
    await user.flush({ isOld: true });
    expect(await user.counted()).toBeGreaterThanOrEqual(await user.real());
  }
});

test('tickets that were not used are not pending behind a request that blocks its user', async () => {
  const user = await openUser();
  expect(await user.enqueue(10)).toBeDefined();
  for (let round = 0; round < 5; round += 1) await user.abandon(90);
  expect(await user.enqueue(90)).toBeDefined();
});
