/** The room of a body is given back on every path: what is not given back is missing until the worker ends. */
import { expect, test } from '@jest/globals';
import { StoreUnavailableError } from '../../lib/errors.ts';
import { Activity } from '../../lib/lanes/activity.ts';
import { createContext, type LaneDeps } from '../../lib/lanes/context.ts';
import { fromEntry } from '../../lib/lanes/held-requests.ts';
import { type LoadedUser, noteMessage } from '../../lib/lanes/loaded-user.ts';
import type { OwnedLane } from '../../lib/lanes/owned-lane.ts';
import { createShare } from '../../lib/lanes/share.ts';
import { UserClaims } from '../../lib/lanes/user-claims.ts';
import { UserReads } from '../../lib/lanes/user-reads.ts';
import { UserRuns } from '../../lib/lanes/user-runs.ts';
import type { Clock } from '../../lib/ports.ts';
import { runHere, silentObserver } from '../support/world.ts';
import { at, delivery, entryOf, message, moment, user } from './one-user.ts';

const clock: Clock = {
  now: () => at(0),
  monotonicMs: () => 0,
  random: () => 0,
  after: (_ms, callback) => {
    setImmediate(callback);
    return () => undefined;
  },
};

/** A user of a worker with room for one body at a time, and for one that waits. */
const open = (changes: { ledger?: Partial<LaneDeps['ledger']>; deps?: Partial<LaneDeps> } = {}) => {
  const life = { owned: true, held: true, abort: new AbortController(), lost: 0 };
  const lane: OwnedLane = {
    lane: 3,
    token: 1,
    signal: life.abort.signal,
    mayStart: () => life.owned,
    isHeld: () => life.held,
    lose: () => {
      life.lost += 1;
    },
  };
  const ledger = {
    readWork: async () => [entryOf(1)],
    commit: async (all: unknown[]) => all.map(() => ({ applied: true as const })),
    ...changes.ledger,
  } as unknown as LaneDeps['ledger'];
  const deps = {
    clock,
    ledger,
    planRun: runHere,
    observer: silentObserver,
    runRequest: async () => ({ kind: 'done', result: '1' }),
    config: { concurrency: 1, isolatedProcesses: 2, heldBytes: 1_024 },
    ...changes.deps,
  } as unknown as LaneDeps;
  const context = createContext(
    deps,
    'w',
    createShare(clock, 'w', () => 1),
  );
  const reads = new UserReads(lane, context);
  const claims = new UserClaims(lane, reads, context);
  const runs = new UserRuns(lane, { activity: new Activity(), claims, context });
  const bodiless = (): LoadedUser => {
    const loaded = { ...user({ accepted: 1 }), bodies: context.bodies };
    loaded.held.set(1, fromEntry(entryOf(1), undefined, moment()));
    return loaded;
  };
  const withBody = (): LoadedUser => {
    const loaded = { ...user(), bodies: context.bodies };
    noteMessage(loaded, message(1), delivery(), 0);
    expect(context.bodies.bytes).toBeGreaterThan(0);
    return loaded;
  };
  const expectNothingHeld = async () => {
    expect(context.bodies.bytes).toBe(0);
    (await context.bodies.turn())();
    expect(context.bodies.bytes).toBe(0);
  };
  return { life, context, reads, claims, runs, bodiless, withBody, expectNothingHeld };
};

const failing = (error: Error) => async () => Promise.reject(error);

test('a read or a claim that fails keeps no room', async () => {
  const broken = failing(new TypeError('a defect'));
  const reading = open({ ledger: { readWork: broken } });
  await expect(reading.claims.claimNext(reading.bodiless())).rejects.toThrow('a defect');
  await reading.expectNothingHeld();
  await expect(reading.reads.read({ ...reading.bodiless(), wasRead: true })).rejects.toThrow('a defect');
  await reading.expectNothingHeld();

  const claiming = open({ ledger: { commit: broken } });
  for (const load of [claiming.bodiless, claiming.withBody]) {
    await expect(claiming.claims.claimNext(load())).rejects.toThrow('a defect');
    await claiming.expectNothingHeld();
  }
});

test('an entry that cannot be understood keeps no room', async () => {
  const { claims, bodiless, expectNothingHeld } = open({
    ledger: { readWork: async () => [{ ...entryOf(1), retryAt: 'soon' as unknown as Date, status: 'processing' }] },
  });
  await expect(claims.claimNext(bodiless())).rejects.toThrow();
  await expectNothingHeld();
});

test.each(['readWork', 'commit'] as const)(
  'a lane that is lost while %s gets no answer from MongoDB keeps no room',
  async (call) => {
    const lost = open({
      ledger: {
        [call]: async () => {
          lost.life.held = false;
          throw new StoreUnavailableError('no answer');
        },
      },
    });
    expect(await lost.claims.claimNext(lost.bodiless())).toBeUndefined();
    await lost.expectNothingHeld();
  },
);

test('a refused claim keeps no room, and one that is applied keeps it until its run starts', async () => {
  const refused = open({ ledger: { commit: async () => [{ applied: false, entry: entryOf(1, { attempts: 1 }) }] } });
  expect(await refused.claims.claimNext(refused.bodiless())).toBeUndefined();
  await refused.expectNothingHeld();

  const applied = open();
  const claimed = applied.bodiless();
  expect(await applied.claims.claimNext(claimed)).toMatchObject({ seq: 1 });
  expect([claimed.held.bodyOf(1), applied.context.bodies.bytes > 0]).toEqual(['"1"', true]);
});

test('a request that must run elsewhere by the time its body is read gives the room to the next user', async () => {
  let plans = 0;
  const { claims, bodiless, expectNothingHeld } = open({
    deps: { planRun: () => (++plans === 1 ? { kind: 'here', timeoutMs: 0 } : { kind: 'isolated' }) },
  });
  expect(await claims.claimNext(bodiless())).toBeUndefined();
  expect(plans).toBe(2);
  await expectNothingHeld();
});

test('a user whose turn comes during a handover is not claimed, and leaves its turn to others', async () => {
  let read = 0;
  let committed = 0;
  const { life, context, claims, bodiless, expectNothingHeld } = open({
    ledger: {
      readWork: async () => {
        read += 1;
        return [entryOf(1)];
      },
      commit: async (all) => {
        committed += 1;
        return all.map(() => ({ applied: true }));
      },
    },
  });
  const free = await context.bodies.turn();
  const claiming = claims.claimNext(bodiless());
  life.owned = false;
  free();
  expect(await claiming).toBeUndefined();
  expect([read, committed]).toEqual([0, 0]);
  await expectNothingHeld();
});

test('a handover that begins during the read of a body stops its claim', async () => {
  const handed = open({
    ledger: {
      readWork: async () => {
        handed.life.owned = false;
        return [entryOf(1)];
      },
    },
  });
  expect(await handed.claims.claimNext(handed.bodiless())).toBeUndefined();
  await handed.expectNothingHeld();
});

test('a claim that leads to no run keeps no room while it is given back', async () => {
  const givenBack = Promise.withResolvers<void>();
  const kinds: string[] = [];
  const { life, runs, bodiless, expectNothingHeld } = open({
    ledger: {
      commit: async (all) => {
        kinds.push(...all.map(({ kind }) => kind));
        if (kinds.at(-1) === 'claim') life.abort.abort();
        else await givenBack.promise;
        return all.map(() => ({ applied: true }));
      },
    },
  });
  const working = runs.workOn(bodiless(), { release: () => undefined, isHeld: () => true });
  while (kinds.length < 2) await new Promise(setImmediate);
  expect(kinds).toEqual(['claim', 'give-back']);
  await expectNothingHeld();
  givenBack.resolve();
  await working;
});
