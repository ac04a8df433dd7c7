import { expect, test } from '@jest/globals';
import { UnownedLanes } from '../../lib/consumer/readiness.ts';

const limitMs = 30_000;

const watched = () => {
  let nowMs = 1_000;
  const unowned = new UnownedLanes({ monotonicMs: () => nowMs });
  return {
    note: (...reports: (number[] | undefined)[]) =>
      unowned.note(reports.map((lanesWithoutOwner) => ({ lanesWithoutOwner }))),
    complaint: () => unowned.complaint(limitMs),
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
};

test('a lane that has had no owner for longer than the limit is named, with the time and the variable', () => {
  const { note, complaint, pass } = watched();
  note([3, 7]);
  pass(20_000);
  note([7, 8]);
  pass(10_001);
  note([7, 8]);
  expect(complaint()).toMatch(/up to 30 s \(UNHEALTHY_AFTER_MS is 30000\): 1, namely 7\./);
  note([8]);
  expect(complaint()).toBeUndefined();
});

test('lanes that are handed over one after the other do not add up', () => {
  const { note, complaint, pass } = watched();
  for (let lane = 0; lane < 100; lane += 1) {
    note([lane, lane + 1]);
    pass(1_000);
    expect(complaint()).toBeUndefined();
  }
});

test('a lane has an owner when one of the workers knows of one', () => {
  const { note, complaint, pass } = watched();
  note([1, 2], [2, 3]);
  pass(limitMs + 1);
  note([1, 2], [2, 3]);
  expect(complaint()).toContain('1, namely 2.');
  note([1, 2], [], undefined);
  expect(complaint()).toBeUndefined();
});

test('a worker that does not know yet, as after its restart, neither ends nor starts the time', () => {
  const { note, complaint, pass } = watched();
  note([4]);
  pass(20_000);
  note(undefined);
  pass(10_001);
  note([4]);
  expect(complaint()).toContain('namely 4.');
});

test('that no worker can read the owners for longer than the limit is a complaint of its own', () => {
  const { note, complaint, pass } = watched();
  pass(limitMs + 1);
  note(undefined, undefined);
  expect(complaint()).toBeUndefined();
  pass(limitMs + 1);
  expect(complaint()).toMatch(/read the owners of the lanes in MongoDB for 30 s/);
  note([], undefined);
  expect(complaint()).toBeUndefined();
});
