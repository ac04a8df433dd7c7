import { describe, expect, test } from '@jest/globals';
import type { Ended, Fault, HistoryEvent, Started } from './history.ts';
import {
  closedUser,
  endOf,
  isSameRun,
  type MutationCase,
  mutateOneOf,
  remove,
  repeatsAfterDeath,
  startedOf,
  testMutations,
  violationKinds,
} from './test-support.ts';

const mutations: MutationCase[] = [
  [
    'a run that was repeated without a reason',
    'repeat',
    mutateOneOf(startedOf, (run, history) => {
      remove(history, (event) => event.kind === 'fault');
      const last = history.events.findLast(
        (event): event is Ended => event.kind === 'ended' && event.userId === run.userId && event.seq === run.seq,
      )!;
      const again = { ...last, attempt: last.attempt + 1 };
      history.events.push({ ...again, kind: 'started', at: last.at + 0.1 }, { ...again, at: last.at + 0.2 });
    }),
  ],
  [
    'an attempt that ran twice',
    'repeat',
    mutateOneOf(
      (history) => startedOf(history).filter((run) => endOf(history, run)),
      (run, history) => {
        const end = endOf(history, run)!;
        const again = { ...run, worker: 'another', fencingToken: run.fencingToken + 1 };
        history.events.push({ ...again, at: end.at + 0.1 });
        history.events.push({ ...again, kind: 'ended', outcome: 'done', at: end.at + 0.2 });
      },
    ),
  ],
  [
    'a repeat whose fault came only afterwards',
    'repeat',
    mutateOneOf(repeatsAfterDeath, ([, second], { events }) => {
      for (const event of events) if (event.kind === 'fault') event.at = event.until = second.at + 0.5;
    }),
  ],
  [
    'a repeat after a fault of another worker',
    'repeat',
    mutateOneOf(repeatsAfterDeath, (_, { events }) => {
      for (const event of events) if (event.kind === 'fault') event.target = 'another';
    }),
  ],
  [
    'a run that never ended',
    'unpaired',
    mutateOneOf(startedOf, (run, history) => {
      remove(history, (event) => event.kind === 'fault' || (event.kind === 'ended' && isSameRun(event, run)));
    }),
  ],
  [
    'an end without a start',
    'unpaired',
    mutateOneOf(
      (history) => startedOf(history).filter((run) => endOf(history, run)),
      (run, history) => {
        remove(history, (event) => event === run);
      },
    ),
  ],
];

describe('The judge of repeats', () => {
  testMutations(mutations);
});

describe('A repeat', () => {
  const one = { userId: 'ada', seq: 1, attempt: 1, fencingToken: 1, worker: 'one' };
  const done = (attempts: number) => closedUser({ status: 'done', attempts });
  const cut = (target?: string): Fault => ({ kind: 'fault', fault: 'connection-cut', target, at: 1 });

  /** Attempt 1 on `one` ends with `outcome`. Attempt 2 follows. */
  const judged = (fault: Fault, outcome: Ended['outcome'], second: Partial<Started>) => {
    const again = { ...one, attempt: 2, ...second };
    const events: HistoryEvent[] = [
      fault,
      { kind: 'started', ...one, at: 2 },
      { kind: 'ended', ...one, outcome, at: 3 },
      { kind: 'started', ...again, at: 4 },
      { kind: 'ended', ...again, outcome: 'done', at: 5 },
    ];
    return violationKinds({ events, final: done(2) }, { allowCutOff: true });
  };

  test('on the same worker under the same token is never excused, because a worker settles what it ran', () => {
    for (const outcome of ['done', 'failed', 'aborted'] as const) {
      expect(judged(cut('one'), outcome, {})).toEqual(['repeat']);
      expect(judged({ ...cut(), fault: 'store-restarted' }, outcome, {})).toEqual(['repeat']);
    }
  });

  test('on a healthy worker, twenty times, is not excused by one cut of another worker', () => {
    const runs = Array.from({ length: 20 }, (_, index) => ({ ...one, attempt: index + 1 }));
    const events = runs.flatMap((run): HistoryEvent[] => [
      { kind: 'started', ...run, at: 2 * run.attempt },
      { kind: 'ended', ...run, outcome: 'done', at: 2 * run.attempt + 1 },
    ]);
    const history = { events: [cut('another'), ...events], final: done(20) };
    expect(violationKinds(history, { allowCutOff: true })).toContain('repeat');
  });

  test('under a new token is excused by a cut of the worker before it or after it, but of no other worker', () => {
    const taken = { worker: 'two', fencingToken: 2 };
    expect(judged(cut('one'), 'done', taken)).toEqual([]);
    expect(judged(cut('two'), 'done', taken)).toEqual([]);
    expect(judged(cut('one'), 'done', { fencingToken: 2 })).toEqual([]);
    expect(judged(cut('another'), 'done', taken)).toEqual(['repeat']);
  });

  test('of an aborted or refused run is excused by a cut of a third worker that took a lease in between and ran nothing', () => {
    expect(judged(cut('another'), 'aborted', { worker: 'two', fencingToken: 2 })).toEqual([]);
    expect(judged(cut('another'), 'done', { worker: 'two', fencingToken: 3 })).toEqual([]);
    expect(judged(cut('another'), 'done', { worker: 'two', fencingToken: 2 })).toEqual(['repeat']);
    expect(judged(cut('another'), 'aborted', {})).toEqual(['repeat']);
    expect(judged({ ...cut('another'), fault: 'worker-killed' }, 'aborted', { fencingToken: 2 })).toEqual(['repeat']);
  });
});
