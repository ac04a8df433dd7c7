import { describe, expect, test } from '@jest/globals';
import { Silences } from '../../lib/lanes/frozen-workers.ts';

const beatMs = 100;

/** What the worker `me` sees of `w`. Both write a heartbeat before each look, unless they are silent. */
const open = () => {
  const clock = { ms: 0, monotonicMs: () => clock.ms };
  const silences = new Silences('me', beatMs, clock);
  const writtenAt: Record<string, number> = { me: 0, w: 0 };
  const beat = (workerId: string, lanes: number[]) => ({
    workerId,
    lanes,
    unresponsive: [],
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
  test('stands still after twelve beats, and is found once until it is heard again', () => {
    const { look } = open();
    expect(look(3)).toBe(0);
    expect(look(12, { silent: ['w'] })).toBe(0);
    expect(look(1, { silent: ['w'] })).toBe(1);
    expect(look(50, { silent: ['w'] })).toBe(0);
    expect(look(3)).toBe(0);
    expect(look(13, { silent: ['w'] })).toBe(1);
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
