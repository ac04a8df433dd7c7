import { describe, expect, test } from '@jest/globals';
import {
  type IsolatedEnd,
  isCrash,
  mustRepeat,
  mustRunIsolated,
  outcomeOfEnd,
  runsTogetherAfter,
} from '../../lib/runs/crash.ts';
import type { Outcome, RunError } from '../../lib/types.ts';
import { testPolicy } from './support/policy.ts';

describe('a request', () => {
  test('is isolated after two runs in a row that ended with their worker', () => {
    expect([0, 1, 2, 3].map((interruptions) => mustRunIsolated({ interruptions }, 3))).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect([0, 1, 2, 50].map((interruptions) => mustRunIsolated({ interruptions }, 100))).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  test('never becomes a dead letter because of runs beside it: its last crash is isolated', () => {
    expect([0, 1, 2].map((interruptions) => mustRunIsolated({ interruptions }, 2))).toEqual([false, true, true]);
  });
});

describe('the end of an isolated run', () => {
  const policy = { ...testPolicy, maxCrashes: 4 };
  const run = { attempt: 3, forgiven: 0, interruptions: 2 };
  const exited: IsolatedEnd = { begun: true, suspects: 1, code: 3, signal: null };
  const outcomeOf = (
    end: IsolatedEnd,
    interruptions = 2,
    own: { onFailure?: 'block'; onInterruption?: 'dead-letter' } = {},
  ) => outcomeOfEnd(end, { ...run, interruptions }, { ...policy, ...own }, 0);

  test('is the outcome of the run if there is one, however the process ended', () => {
    const outcome: Outcome = { kind: 'done', result: '1' };
    expect(outcomeOf({ ...exited, outcome, killedFor: 'hung', signal: 'SIGKILL' }, 9)).toBe(outcome);
  });

  test('without an outcome is a crash, and the run is repeated after a back-off', () => {
    expect(outcomeOf(exited)).toEqual({
      kind: 'retry',
      crashed: true,
      delayMs: 100,
      error: { name: 'ProcessorCrashedError', message: 'The process of the run ended with exit code 3', exposed: true },
    });
  });

  test('dead-letters the request as crashed after the last crash in a row, as the policy says', () => {
    expect(outcomeOf(exited, 3)).toMatchObject({ kind: 'failed', reason: 'crashed' });
    expect(outcomeOf(exited, 3, { onFailure: 'block' })).toMatchObject({ kind: 'blocked', reason: 'crashed' });
  });

  test('dead-letters at once a request that must not run twice', () => {
    expect(outcomeOf(exited, 1, { onInterruption: 'dead-letter' })).toMatchObject({
      kind: 'failed',
      reason: 'crashed',
    });
  });

  test('is a crash only when no other run can be the reason, or it went on against its signal', () => {
    const shared: IsolatedEnd = { ...exited, suspects: 9 };
    expect([isCrash(exited), mustRepeat(exited)]).toEqual([true, false]);
    expect([isCrash(shared), mustRepeat(shared), runsTogetherAfter(shared)]).toEqual([false, true, 4]);
    expect([2, 3, 4].map((suspects) => runsTogetherAfter({ suspects }))).toEqual([1, 1, 2]);
    const stubborn: IsolatedEnd = { ...shared, killedFor: 'past-deadline' };
    expect([isCrash(stubborn), mustRepeat(stubborn)]).toEqual([true, false]);
    for (const end of [
      { killedFor: 'aborted' },
      { begun: false },
      { outcome: { kind: 'done', result: '1' } },
    ] as const) {
      expect([isCrash({ ...shared, ...end }), mustRepeat({ ...shared, ...end })]).toEqual([false, false]);
    }
  });

  test('is not held against the request when the process never came up, however often', () => {
    for (const end of [
      { begun: false, suspects: 0, code: null, signal: null, error: { name: 'Error', message: 'spawn EAGAIN' } },
      { begun: false, suspects: 2, code: 1, signal: null },
      { begun: false, suspects: 1, code: null, signal: 'SIGKILL', killedFor: 'never-came-up' },
    ] satisfies IsolatedEnd[]) {
      expect(outcomeOf(end, 50)).toMatchObject({ kind: 'retry', crashed: true });
    }
  });

  test.each<[string, Partial<IsolatedEnd>]>([
    ['ended with exit code 0', { code: 0 }],
    ['ended with exit code 1', { code: 1, error: { name: 'TypeError', message: 'no' } }],
    ['was ended by SIGSEGV', { code: null, signal: 'SIGSEGV' }],
    ['was ended by SIGABRT, probably out of memory', { code: null, signal: 'SIGABRT' }],
    ['was killed: its event loop hung', { code: null, signal: 'SIGKILL', killedFor: 'hung' }],
    [
      'was killed: the run went on long past its deadline',
      { code: null, signal: 'SIGKILL', killedFor: 'past-deadline' },
    ],
    ['could not be started', { begun: false, code: null, error: { name: 'Error', message: 'spawn EAGAIN' } }],
  ])('is described in words: %s', (words, end) => {
    const message = `The process of the run ${words}`;
    const outcome = outcomeOf({ ...exited, ...end }) as { error: RunError };
    // The text of an error that nobody caught is the processor's, so it is not exposed with ours.
    expect(outcome.error).toEqual({
      name: 'ProcessorCrashedError',
      message,
      exposed: true,
      ...(end.error && { cause: end.error }),
    });
  });
});
