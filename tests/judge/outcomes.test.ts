import { describe, expect, test } from '@jest/globals';
import type { Ended, FinalEntry, HistoryEvent } from './history.ts';
import {
  acceptedEntries,
  closedUser,
  type MutationCase,
  mutateOneOf,
  remove,
  settledOf,
  startedOf,
  testMutations,
  userId,
  violationKinds,
} from './test-support.ts';

const mutations: MutationCase[] = [
  [
    'a request that was settled twice',
    'second-outcome',
    mutateOneOf(settledOf, (event, { events }) => {
      events.push({ ...event, at: event.at + 0.5 });
    }),
  ],
  [
    'an outcome that changed',
    'second-outcome',
    mutateOneOf(settledOf, (event) => {
      event.status = event.status === 'done' ? 'failed' : 'done';
    }),
  ],
  [
    'a request with two ledger entries',
    'second-outcome',
    mutateOneOf(acceptedEntries, (entry, { final }) => {
      final.ledger.push({ ...entry });
    }),
  ],
  [
    'a run after its request was settled',
    'second-outcome',
    mutateOneOf(settledOf, (event, { events }) => {
      const first = { ...event, attempt: 9, fencingToken: event.fencingToken };
      events.push({ ...first, kind: 'started', at: event.at + 0.1 });
      events.push({ ...first, kind: 'ended', outcome: 'done', at: event.at + 0.2 });
    }),
  ],
  [
    'an outcome that a stale worker recorded',
    'second-outcome',
    mutateOneOf(settledOf, (event) => {
      event.fencingToken -= 1;
    }),
  ],
  [
    'a request that ran although it was cancelled',
    'second-outcome',
    mutateOneOf(
      (history) => history.events.filter((event) => event.kind === 'cancelled'),
      ({ userId, seq, at }, { events }) => {
        const run = { userId, seq, attempt: 1, fencingToken: 1, worker: `${userId}-worker/1` };
        events.push(
          { ...run, kind: 'started', at: at + 0.1 },
          { ...run, kind: 'ended', outcome: 'done', at: at + 0.2 },
        );
      },
    ),
  ],
  [
    'a cancelled request that is done',
    'second-outcome',
    mutateOneOf(
      ({ final }) => final.ledger.filter((entry) => entry.status === 'cancelled'),
      (entry) => {
        entry.status = 'done';
      },
    ),
  ],
  [
    'a request that is done although its last run failed',
    'wrong-outcome',
    mutateOneOf(
      ({ events }) => events.filter((event): event is Ended => event.kind === 'ended' && event.outcome === 'done'),
      (end) => {
        end.outcome = 'failed';
      },
    ),
  ],
  [
    'a settlement that none of the worker’s runs led to',
    'wrong-outcome',
    mutateOneOf(settledOf, (event) => {
      event.worker = 'another';
    }),
  ],
  [
    'a result that no run returned',
    'wrong-outcome',
    mutateOneOf(
      ({ final }) => final.ledger.filter(({ status }) => status === 'done'),
      (entry) => {
        entry.result = '"another"';
      },
    ),
  ],
  [
    'an outcome with fewer attempts than there were runs',
    'wrong-outcome',
    mutateOneOf(
      ({ final }) => final.ledger.filter(({ attempts }) => attempts > 1),
      (entry) => {
        entry.attempts = 1;
      },
    ),
  ],
  [
    'an outcome without a run',
    'outcome-without-run',
    mutateOneOf(startedOf, ({ userId, seq }, history) => {
      remove(history, (event) => 'attempt' in event && event.userId === userId && event.seq === seq);
    }),
  ],
];

describe('The judge of the outcomes', () => {
  testMutations(mutations);
});

describe('A request that crashes its process', () => {
  type Entry = Omit<FinalEntry, 'userId' | 'seq'>;

  /** One run for each outcome. Their attempts are `attempts`. */
  const judgedAs = (entry: Entry, attempts: number[], ...outcomes: Ended['outcome'][]) =>
    violationKinds({
      events: outcomes.flatMap((outcome, before): HistoryEvent[] => {
        const run = { userId, seq: 1, attempt: attempts[before]!, fencingToken: 1, worker: 'one' };
        return [
          { kind: 'started', ...run, at: 2 * before },
          { kind: 'ended', ...run, outcome, at: 2 * before + 1 },
        ];
      }),
      final: closedUser(entry),
    });
  const judged = (entry: Entry, ...outcomes: Ended['outcome'][]) =>
    judgedAs(
      entry,
      outcomes.map((_, before) => before + 1),
      ...outcomes,
    );

  test('may run again, or be dead-lettered', () => {
    expect(judged({ status: 'done', attempts: 2 }, 'crashed', 'done')).toEqual([]);
    const deadLetter = { reason: 'crashed' } as const;
    expect(judged({ status: 'failed', attempts: 2, deadLetter }, 'crashed', 'crashed')).toEqual([]);
  });

  test('may start the same attempt again, where an earlier run may have caused the crash; no other request may', () => {
    const done = { status: 'done', attempts: 1 } as const;
    expect(judgedAs(done, [1, 1], 'crashed', 'done')).toEqual([]);
    expect(judgedAs(done, [1, 1], 'done', 'done')).toEqual(['repeat']);
  });

  test('takes the runs beside it along: they start the same attempt again, and are not blamed', () => {
    const done = { status: 'done', attempts: 1 } as const;
    expect(judgedAs(done, [1, 1], 'taken-along', 'done')).toEqual([]);
    expect(judgedAs({ ...done, attempts: 2 }, [1, 2], 'taken-along', 'done')).toEqual(['repeat']);
    expect(judgedAs(done, [1], 'taken-along')).toEqual(['wrong-outcome']);
    const blamed = { status: 'failed', attempts: 1, deadLetter: { reason: 'crashed' } } as const;
    expect(judgedAs(blamed, [1], 'taken-along')).toEqual(['wrong-outcome']);
    expect(judgedAs(blamed, [1], 'crashed')).toEqual([]);
  });

  test('is not done after a crash, and does not fail without a dead letter', () => {
    expect(judged({ status: 'done', attempts: 1 }, 'crashed')).toEqual(['wrong-outcome']);
    expect(judged({ status: 'failed', attempts: 1 }, 'crashed')).toEqual(['dead-letter']);
  });
});
