/**
 * What the judge's tests share: builders for small histories, and mutations that each break one guarantee of a good
 * history.
 */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { JudgeOptions } from './excuses.ts';
import { type GoodHistory, goodHistory } from './good-history.ts';
import type { Ended, FinalEntry, FinalState, HistoryEvent, Settled, Started } from './history.ts';
import { judgeHistory } from './judge.ts';
import type { ViolationKind } from './violation.ts';

export const violationKinds = ({ events, final }: GoodHistory, options?: JudgeOptions): ViolationKind[] =>
  judgeHistory(events, final, options).violations.map(({ kind }) => kind);

/** The only user of the small histories. */
export const userId = 'ada';

/** The final state of one user whose queue is closed. The entries get the `seq` from 1. */
export const closedUser = (...entries: Omit<FinalEntry, 'userId' | 'seq'>[]): FinalState => ({
  ledger: entries.map((entry, index) => ({ userId, seq: index + 1, ...entry })),
  userQueues: [{ userId, state: 'closed', accepted: entries.length, settled: entries.length }],
  leftOverQueues: [],
});

/**
 * Changes a good history so that it breaks one guarantee. Returns false when the history offers no place for the
 * change.
 */
type Mutation = (history: GoodHistory, pick: <T>(from: T[]) => T) => boolean;

/** The title, what the judge must report, and the change. */
export type MutationCase = [title: string, kind: ViolationKind, mutate: Mutation];

export const mutateOneOf =
  <T>(places: (history: GoodHistory) => T[], change: (place: T, history: GoodHistory) => void): Mutation =>
  (history, pick) => {
    const found = places(history);
    if (found.length > 0) change(pick(found), history);
    return found.length > 0;
  };

const pickBy =
  (place: number) =>
  <T>(from: T[]): T =>
    from[place % from.length]!;

/** Tests that the judge reports each mutation of 50 good histories. */
export const testMutations = (cases: MutationCase[]): void => {
  test.each(cases)('catches %s (%s)', (_, kind, mutate) => {
    let changed = 0;
    fc.assert(
      fc.property(goodHistory, fc.nat(), (good, place) => {
        const history = structuredClone(good);
        fc.pre(mutate(history, pickBy(place)));
        changed += 1;
        expect(violationKinds(history)).toContain(kind);
      }),
      { numRuns: 50 },
    );
    expect(changed).toBe(50);
  });
};

export const startedOf = ({ events }: GoodHistory): Started[] => events.filter((event) => event.kind === 'started');

export const settledOf = ({ events }: GoodHistory): Settled[] => events.filter((event) => event.kind === 'settled');

export const isSameRun = (a: Started | Ended, b: Started | Ended): boolean =>
  a.userId === b.userId && a.seq === b.seq && a.attempt === b.attempt;

export const endOf = ({ events }: GoodHistory, run: Started): Ended | undefined =>
  events.find((event): event is Ended => event.kind === 'ended' && isSameRun(event, run));

export const remove = (history: GoodHistory, isGone: (event: HistoryEvent) => boolean): void => {
  history.events = history.events.filter((event) => !isGone(event));
};

/** Pairs of successive runs of one user. */
export const consecutiveRuns = (history: GoodHistory): [Started, Started][] =>
  startedOf(history).flatMap((run, index, runs) => {
    const next = runs[index + 1];
    return next?.userId === run.userId ? [[run, next] as [Started, Started]] : [];
  });

/** Pairs of which the second run is a repeat of the first by another worker. */
export const repeatsAfterDeath = (history: GoodHistory): [Started, Started][] =>
  consecutiveRuns(history).filter(
    ([first, second]) => second.seq === first.seq && second.fencingToken > first.fencingToken,
  );

/** The ledger entries whose `202` a client received. */
export const acceptedEntries = ({ events, final }: GoodHistory): FinalEntry[] =>
  final.ledger.filter((entry) =>
    events.some((event) => event.kind === 'accepted' && event.userId === entry.userId && event.seq === entry.seq),
  );
