import { describe, expect, test } from '@jest/globals';
import { BrokerUnavailableError } from '../../lib/errors.ts';
import { Silences, watchFrozenWorkers } from '../../lib/lanes/frozen-workers.ts';
import { WorkerHeartbeat } from '../../lib/lanes/worker-heartbeat.ts';
import { FakeClock } from '../../lib/testing/fake-clock.ts';
import { createMemoryBroker } from '../../lib/testing/memory-broker.ts';
import { createMemoryStores } from '../../lib/testing/memory-stores.ts';
import { readableLog } from '../support/log-lines.ts';

const beatMs = 100;

/** What the worker `me` sees of `w`. Both write a heartbeat before each look, unless they are silent. */
const open = (theirBeat: { beatMs?: number } = { beatMs }) => {
  const clock = { ms: 0, monotonicMs: () => clock.ms };
  const silences = new Silences('me', beatMs, clock);
  const writtenAt: Record<string, number> = { me: 0, w: 0 };
  const beat = (workerId: string, lanes: number[]) => ({
    workerId,
    lanes,
    unresponsive: [],
    ...theirBeat,
    at: new Date(writtenAt[workerId]!),
  });
  /** Looks this often, `everyMs` apart. Returns how often `w` was found. */
  const look = (times: number, { silent = [] as string[], everyMs = beatMs, lanes = [3], away = false } = {}) => {
    let found = 0;
    for (let n = 0; n < times; n += 1) {
      clock.ms += everyMs;
      for (const workerId of ['me', 'w']) if (!silent.includes(workerId)) writtenAt[workerId] = clock.ms;
      found += silences.note([beat('me', [1]), { ...beat('w', lanes), away }]).length;
    }
    return found;
  };
  return { look };
};

describe('a worker whose heartbeat does not change', () => {
  test('stands still after twelve beats, and is found three times, four beats apart, until it is heard again', () => {
    const { look } = open();
    expect(look(3)).toBe(0);
    expect(look(12, { silent: ['w'] })).toBe(0);
    expect(look(1, { silent: ['w'] })).toBe(1);
    expect(look(3, { silent: ['w'] })).toBe(0);
    expect(look(1, { silent: ['w'] })).toBe(1);
    expect(look(50, { silent: ['w'] })).toBe(1);
    expect(look(3)).toBe(0);
    expect(look(13, { silent: ['w'] })).toBe(1);
  });

  test.each([
    ['says so', { beatMs: 500 }, 60],
    ['says nothing, because it is of an older version', {}, 120],
    ['writes more often than this one', { beatMs: 10 }, 12],
  ])('is given twelve of its own beats if it writes less often and %s', (_what, theirBeat, beats) => {
    const { look } = open(theirBeat);
    look(3);
    expect(look(beats, { silent: ['w'] })).toBe(0);
    expect(look(1, { silent: ['w'] })).toBe(1);
  });

  test('is not found while the own heartbeat does not change either, nor soon after that', () => {
    const { look } = open();
    look(3);
    expect(look(50, { silent: ['w', 'me'] })).toBe(0);
    expect(look(8, { silent: ['w'] })).toBe(0);
    expect(look(6, { silent: ['w'] })).toBe(1);
  });

  test('is not found by the first look of a worker that was itself held up', () => {
    const { look } = open();
    look(3);
    expect(look(1, { silent: ['w'], everyMs: 60_000 })).toBe(0);
    expect(look(10, { silent: ['w'] })).toBe(0);
    expect(look(1, { silent: ['w'] })).toBe(1);
  });

  test.each([
    ['owns no lane', { lanes: [] }],
    ['has said that it is away', { away: true }],
  ])('is of no interest when it %s', (_what, state) => {
    const { look } = open();
    look(3, state);
    expect(look(50, { silent: ['w'], ...state })).toBe(0);
  });
});

test('a heartbeat says how often its worker writes it', async () => {
  const { workers } = createMemoryStores();
  const deps = { clock: new FakeClock(new Date(0)), workers, config: { storeTimeoutMs: 1_000, frozenAfterMs: 2_000 } };
  await new WorkerHeartbeat(deps, 'w').send({ lanes: [], unresponsive: [] });
  expect(await workers.all()).toMatchObject([{ workerId: 'w', beatMs: 125 }]);
});

/** The worker `me` watches `w1`, who owns lane 1, and `w2`, who owns lane 2. Both stand still. */
const watch = async () => {
  const clock = new FakeClock(new Date(0));
  const { lanes, workers } = createMemoryStores();
  const tries: number[] = [];
  const deleted: number[] = [];
  const state = { standsBy: true, failingTakes: [] as number[], failingDeletes: [] as number[] };
  const failIfIn = (failing: number[], lane: number) => {
    if (failing.includes(lane)) throw new BrokerUnavailableError('no answer');
  };
  const { log, lines } = readableLog();
  const deps = {
    clock,
    log,
    workers,
    lanes: {
      ...lanes,
      takeAway: async (lane: number, workerId: string) => {
        tries.push(lane);
        failIfIn(state.failingTakes, lane);
        return lanes.takeAway(lane, workerId);
      },
    },
    laneBroker: {
      ...createMemoryBroker().connect().laneBroker,
      deleteLane: async (lane: number) => {
        failIfIn(state.failingDeletes, lane);
        deleted.push(lane);
      },
    },
    config: { frozenAfterMs: 2_000 },
  };
  for (const lane of [1, 2]) {
    await lanes.takeLease(lane, `w${lane}`, new Date());
    await workers.report({ workerId: `w${lane}`, lanes: [lane], unresponsive: [], beatMs: 125, at: new Date(0) });
  }
  void watchFrozenWorkers(deps, 'me', () => state.standsBy, new AbortController().signal);
  /** `me` writes its heartbeat before each look. */
  const look = async (times: number) => {
    for (let n = 0; n < times; n += 1) {
      await workers.report({
        workerId: 'me',
        lanes: [],
        unresponsive: [],
        beatMs: 125,
        at: new Date(1 + clock.monotonicMs()),
      });
      clock.fireNext();
      await new Promise(setImmediate);
    }
  };
  return { state, look, tries, deleted, lines };
};

describe('taking the lanes of a worker that stands still', () => {
  test('is left to others while this worker itself does not stand by', async () => {
    const { state, look, tries, deleted } = await watch();
    state.standsBy = false;
    await look(50);
    expect(tries).toEqual([]);
    state.standsBy = true;
    await look(50);
    expect(deleted.sort()).toEqual([1, 2]);
  });

  test('goes on with the others when one of them fails', async () => {
    const { state, look, deleted, lines } = await watch();
    state.failingTakes = [1];
    await look(14);
    expect(deleted).toEqual([2]);
    expect(lines).toContainEqual(
      expect.objectContaining({
        frozenWorkerId: 'w1',
        msg: 'could not take all lanes of a worker that stands still away',
      }),
    );
  });

  test('is tried again when the lane could not be deleted', async () => {
    const { state, look, deleted } = await watch();
    state.failingDeletes = [1];
    await look(14);
    expect(deleted).toEqual([2]);
    state.failingDeletes = [];
    await look(4);
    expect(deleted).toEqual([2, 1]);
    await look(50);
    expect(deleted).toEqual([2, 1]);
  });
});
