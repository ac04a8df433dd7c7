/** What the primary answers to `GET /backlog` out of what its workers report. */
import { expect, test } from '@jest/globals';
import { backlogOf } from '../../lib/consumer/backlog.ts';
import type { WorkerSnapshot } from '../../lib/lanes/snapshot.ts';

type Numbers = Pick<WorkerSnapshot, 'pendingRequests' | 'oldestWaitMs' | 'workersWanted' | 'statisticsAgeMs'>;
const worker = (numbers: Numbers, state: 'running' | 'failed' = 'running') => ({
  state,
  snapshot: numbers as WorkerSnapshot,
});
const older = { pendingRequests: 900, oldestWaitMs: 4_000, workersWanted: 9, statisticsAgeMs: 9_000 };
const newer = { pendingRequests: 300, oldestWaitMs: 1_000, workersWanted: 3, statisticsAgeMs: 1_000 };

test('the newest numbers count, and the longest wait that any worker knows of', () => {
  const answer = { pending: 300, oldestWaitMs: 4_000, workersWanted: 3 };
  expect(backlogOf([worker(older), worker(newer)])).toEqual(answer);
  expect(backlogOf([worker(newer), worker(older)])).toEqual(answer);
});

test('a worker that has exited does not count, and without numbers in time there is no answer', () => {
  expect(backlogOf([worker(older), worker(newer, 'failed')])?.pending).toBe(900);
  expect(backlogOf([worker(newer, 'failed')])).toBeUndefined();
  expect(backlogOf([{ state: 'running', snapshot: undefined }])).toBeUndefined();
  expect(backlogOf([worker({ ...newer, workersWanted: undefined })])).toBeUndefined();
});
