import { describe, expect, test } from '@jest/globals';
import type { Fault } from './history.ts';
import { closedUser, violationKinds } from './test-support.ts';

describe('A fault', () => {
  const first = { userId: 'ada', seq: 1, attempt: 1, fencingToken: 1, worker: 'container/one' };
  const second = { userId: 'ada', seq: 1, attempt: 2, fencingToken: 2, worker: 'container/two' };
  const final = closedUser({ status: 'done', attempts: 2 });
  const killed: Fault = { kind: 'fault', fault: 'worker-killed', target: first.worker, at: 11 };

  /** The first run starts at 10 and never ends. The second one runs from 20 to 21. */
  const judged = (fault: Fault, excuseMs = 10) =>
    violationKinds(
      {
        events: [
          fault,
          { kind: 'started', ...first, at: 10 },
          { kind: 'started', ...second, at: 20 },
          { kind: 'ended', ...second, outcome: 'done', at: 21 },
        ],
        final,
      },
      { excuseMs },
    );

  test('that kills a worker or its primary ends the run and excuses the repeat', () => {
    expect(judged(killed)).toEqual([]);
    expect(judged({ ...killed, target: 'container' })).toEqual([]);
    expect(judged({ ...killed, target: undefined })).toEqual([]);
  });

  test('that stops a worker ends the run if the worker had been cut off, and no other run', () => {
    const stopped: Fault = { kind: 'fault', fault: 'worker-stopped', target: 'container', at: 16, until: 18 };
    const cutOff: Fault = { kind: 'fault', fault: 'connection-cut', target: 'container', at: 12, until: 13 };
    const events = [
      { kind: 'started', ...first, at: 10 },
      { kind: 'started', ...second, at: 20 },
      { kind: 'ended', ...second, outcome: 'done', at: 21 },
    ] as const;
    const judgedWith = (...faults: Fault[]) =>
      violationKinds({ events: [...faults, ...events], final }, { excuseMs: 3, allowCutOff: true });
    expect(judgedWith(cutOff, stopped)).toEqual([]);
    expect(judgedWith(stopped)).toEqual(expect.arrayContaining(['overlap', 'unpaired']));
    expect(judgedWith(cutOff)).toEqual(expect.arrayContaining(['overlap', 'unpaired']));
    expect(judgedWith(cutOff, { ...stopped, target: 'another' })).toEqual(
      expect.arrayContaining(['overlap', 'unpaired']),
    );
  });

  test('excuses nothing of another worker', () => {
    for (const target of ['container/two', 'contain', 'another']) {
      expect(judged({ ...killed, target })).toEqual(['overlap', 'repeat', 'unpaired']);
    }
  });

  test('that kills no worker ends no run', () => {
    expect(judged({ ...killed, fault: 'store-restarted' })).toEqual(['overlap', 'unpaired']);
  });

  test('that comes after the next start does not excuse the overlap', () => {
    expect(judged({ ...killed, at: 20.5 })).toEqual(['overlap', 'repeat']);
  });

  test('excuses its effects for a limited time after its end', () => {
    expect(judged({ ...killed, at: 1 }, 9)).toEqual([]);
    expect(judged({ ...killed, at: 1 }, 8)).toEqual(['overlap', 'repeat', 'unpaired']);
    expect(judged({ ...killed, at: 1, until: 5 }, 5)).toEqual([]);
  });
});
