/** The list of attempts that clients see: the log of the entry, and the newest attempt, which the entry itself describes. */
import { describe, expect, test } from '@jest/globals';
import { attemptsOf, workersByToken } from '../../lib/requests/attempts.ts';
import { createMemoryStores } from '../../lib/testing/memory-stores.ts';
import type { LedgerEntry } from '../../lib/types.ts';

const at = (second: number) => new Date(Date.UTC(2030, 0, 1, 0, 0, second));
const error = { name: 'Error', message: 'no luck' };
const queued: LedgerEntry = { userId: 'u', seq: 1, status: 'queued', attempts: 0, acceptedAt: at(0) };
const running = { ...queued, status: 'processing', attempts: 2, token: 7, startedAt: at(5) } as const;
const first = { attempt: 1, token: 3, startedAt: at(1), endedAt: at(2), outcome: 'failed', error } as const;
const second = { ...first, attempt: 2 };
const newest = { attempt: 2, token: 7, startedAt: at(5) };
const settledAt = at(9);
const deadLetter = { reason: 'crashed', at: settledAt } as const;

describe('the attempts of a request', () => {
  test.each<[string, LedgerEntry, object[]]>([
    ['never started', queued, []],
    ['runs', { ...running, attemptLog: [first] }, [first, newest]],
    [
      'is done',
      { ...running, status: 'done', settledAt, attemptLog: [first] },
      [first, { ...newest, endedAt: settledAt, outcome: 'done' }],
    ],
    [
      'failed',
      { ...running, status: 'failed', settledAt, error, deadLetter, attemptLog: [first] },
      [first, { ...newest, endedAt: settledAt, outcome: 'crashed', error }],
    ],
    [
      'failed, and its dead letter was dropped',
      { ...running, status: 'failed', settledAt, error },
      [{ ...newest, endedAt: settledAt, outcome: 'failed', error }],
    ],
    [
      'waits for its next attempt',
      { ...running, retryAt: at(60), error, attemptLog: [first, second] },
      [first, second],
    ],
    [
      'was skipped after its attempt had ended',
      { ...running, status: 'failed', settledAt, error, deadLetter, attemptLog: [first, second] },
      [first, second],
    ],
  ])('that %s', (_, entry, expected) => {
    expect(attemptsOf(entry)).toEqual(expected);
  });

  test.each<[string, LedgerEntry, object[]]>([
    ['in its back-off', { ...running, retryAt: at(60), error }, [{ ...newest, outcome: 'failed', error }]],
    ['blocked', { ...running, status: 'blocked', error, deadLetter }, [{ ...newest, outcome: 'crashed', error }]],
    [
      'blocked, until it was skipped an hour later',
      { ...running, status: 'failed', settledAt: at(3_609), error, deadLetter },
      [{ ...newest, endedAt: deadLetter.at, outcome: 'crashed', error }],
    ],
    ['queued again, which does not say why', { ...running, status: 'queued' }, []],
    ['cancelled after an attempt', { ...running, status: 'cancelled', settledAt }, []],
  ])('that an earlier version left %s', (_, entry, expected) => {
    expect(attemptsOf(entry)).toEqual(expected);
  });
});

test('the moves of a lane say which worker had which fencing token', async () => {
  const { lanes } = createMemoryStores();
  await lanes.takeLease(4, 'a', at(1));
  await lanes.takeLease(4, 'b', at(2));
  expect(await workersByToken(4, { lanes })).toEqual(
    new Map([
      [1, 'a'],
      [2, 'b'],
    ]),
  );
});
