import { describe, expect, test } from '@jest/globals';
import type { GoodHistory } from './good-history.ts';
import type { Fault, HistoryEvent, Started } from './history.ts';
import {
  closedUser,
  consecutiveRuns,
  endOf,
  isSameRun,
  type MutationCase,
  mutateOneOf,
  remove,
  repeatsAfterDeath,
  settledOf,
  testMutations,
  violationKinds,
} from './test-support.ts';

const successors = (history: GoodHistory): [Started, Started][] =>
  consecutiveRuns(history).filter(([first, second]) => second.seq > first.seq);

const mutations: MutationCase[] = [
  [
    'two requests that ran in the wrong order',
    'inversion',
    mutateOneOf(successors, ([first, second], { events }) => {
      const eventsOf = (run: Started) =>
        events.filter((event) => 'attempt' in event && isSameRun(event, run)) as Started[];
      const [ofFirst, ofSecond, lower, higher] = [eventsOf(first), eventsOf(second), first.seq, second.seq];
      for (const event of ofFirst) event.seq = higher;
      for (const event of ofSecond) event.seq = lower;
    }),
  ],
  [
    'a request that overtook another one that waited for its next attempt',
    'inversion',
    mutateOneOf(successors, ([first], history) => {
      const end = endOf(history, first);
      if (end) end.outcome = 'retry';
    }),
  ],
  [
    'a run that did not wait for the previous settlement',
    'inversion',
    mutateOneOf(
      (history) => successors(history).filter(([first, second]) => first.worker === second.worker),
      ([first, second], history) => {
        const event = settledOf(history).find(({ userId, seq }) => userId === first.userId && seq === first.seq);
        if (event) event.at = second.at + 0.5;
      },
    ),
  ],
  [
    'two runs of a user at the same time',
    'overlap',
    mutateOneOf(successors, ([first, second], history) => {
      const end = endOf(history, first);
      if (end) end.at = second.at + 0.5;
    }),
  ],
  [
    'a run that went on after another worker acquired its lane, without a fault',
    'overlap',
    mutateOneOf(repeatsAfterDeath, ([first, second], history) => {
      remove(history, (event) => event.kind === 'fault');
      const end = endOf(history, first);
      if (end) end.at = second.at + 0.5;
      else history.events.push({ ...first, kind: 'ended', outcome: 'aborted', at: second.at + 0.5 });
    }),
  ],
  [
    'a fencing token that goes down',
    'token-down',
    mutateOneOf(consecutiveRuns, ([first], { events }) => {
      for (const event of events) if ('attempt' in event && isSameRun(event, first)) event.fencingToken += 100;
    }),
  ],
];

describe('The judge of the order', () => {
  testMutations(mutations);
});

describe('A stale run', () => {
  const cutOff: Fault = { kind: 'fault', fault: 'connection-cut', target: 'old', at: 1 };
  const run = (seq: number, fencingToken: number, worker: string, at: number, attempt = 1): HistoryEvent[] => {
    const about = { userId: 'ada', seq, attempt, fencingToken, worker };
    return [
      { kind: 'started', ...about, at },
      { kind: 'ended', ...about, outcome: 'done', at: at + 1 },
    ];
  };
  const final = closedUser({ status: 'done', attempts: 2 }, { status: 'done', attempts: 2 });
  const judged = (...events: HistoryEvent[]) =>
    violationKinds({ events: [cutOff, ...events], final }, { allowCutOff: true });

  test('may start late what its worker had claimed, but not what follows the run of a later owner', () => {
    const late = run(1, 1, 'old', 4);
    expect(judged(...run(1, 2, 'new', 2, 2), ...late, ...run(2, 2, 'new', 6, 2))).not.toContain('token-down');
    const beyond = run(2, 1, 'old', 4);
    expect(judged(...run(1, 2, 'new', 2, 2), ...beyond, ...run(2, 2, 'new', 6, 2))).toContain('token-down');
  });
});
