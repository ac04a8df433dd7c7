import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  classifySilence,
  decideOnSignal,
  failuresInRow,
  reportEveryMs,
  restartDelayMs,
  silenceAfter,
} from '../../lib/runs/supervision.ts';

describe('restarts', () => {
  test('wait twice as long after every failure in a row, up to 15 s', () => {
    expect([1, 2, 3, 7, 8, 2_000].map(restartDelayMs)).toEqual([200, 400, 800, 12_800, 15_000, 15_000]);
  });

  test('count failures in a row, and start over after a worker that lived for 30 s', () => {
    expect(failuresInRow(4, 29_999)).toBe(5);
    expect(failuresInRow(4, 30_000)).toBe(1);
  });
});

describe('silence', () => {
  const silence = { workerHangMs: 1_000, startTimeoutMs: 5_000 };

  test('of a worker that is up means hung after WORKER_HANG_MS', () => {
    expect(classifySilence({ ...silence, isUp: true, silentMs: 1_000 })).toBe('alive');
    expect(classifySilence({ ...silence, isUp: true, silentMs: 1_001 })).toBe('hung');
  });

  test('of a worker that is not up yet is accepted until the start timeout, also when that is below WORKER_HANG_MS', () => {
    expect(classifySilence({ ...silence, isUp: false, silentMs: 5_000 })).toBe('alive');
    expect(classifySilence({ ...silence, isUp: false, silentMs: 5_001 })).toBe('never-came-up');
    expect(classifySilence({ ...silence, startTimeoutMs: 500, isUp: false, silentMs: 501 })).toBe('never-came-up');
  });

  test('never means hung after a single late check, however late', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 600_000 }), fc.nat(), (workerHangMs, lateMs) => {
        const silentMs = silenceAfter(0, lateMs, workerHangMs);
        expect(classifySilence({ silentMs, isUp: true, workerHangMs, startTimeoutMs: 0 })).toBe('alive');
      }),
    );
  });

  test('adds up, check by check, to hung within WORKER_HANG_MS and a second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 600_000 }), (workerHangMs) => {
        const everyMs = reportEveryMs(workerHangMs);
        let silentMs = 0;
        let passedMs = 0;
        while (classifySilence({ silentMs, isUp: true, workerHangMs, startTimeoutMs: 0 }) === 'alive') {
          silentMs = silenceAfter(silentMs, everyMs, workerHangMs);
          passedMs += everyMs;
        }
        expect(passedMs).toBeGreaterThan(workerHangMs);
        expect(passedMs).toBeLessThanOrEqual(workerHangMs + 1_000);
      }),
    );
  });
});

describe('signals', () => {
  test('drain at first, are ignored when repeated at once, and end everything when repeated later', () => {
    expect([undefined, 0, 299, 300].map(decideOnSignal)).toEqual(['drain', 'ignore', 'ignore', 'end-now']);
  });
});
