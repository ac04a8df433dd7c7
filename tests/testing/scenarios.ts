/** One script for the queue in memory and for the real one: what a processor sees, and what becomes of its requests. */
import { expect } from '@jest/globals';
import type { Processor, ProcessorPolicy } from '../../lib/processor.ts';
import { RetryAfterError, UnrecoverableError } from '../../lib/processor.ts';
import type { TestQueue } from '../../lib/testing.ts';

/** What both queues can do. */
export type Queue = Pick<TestQueue, 'enqueue' | 'result' | 'retry' | 'skip' | 'cancel' | 'drop' | 'deadLetters'> & {
  /** At least so much of the queue's time passes from here on. */
  pass(ms: number): Promise<void>;
};

/** Requests of the script: what the runs of one do, in the order of its attempts; the last stands for all that follow. */
type Work = { name: string; ends?: ('done' | 'throw' | 'never' | 'later' | 'hang')[] };

export type Call = { user: string; name: string; attempt: number; startedAt: number; endedAt: number };

const policy: ProcessorPolicy = { maxAttempts: 3, retryBaseMs: 20, retryMaxMs: 200 };
const askedPauseMs = 300;
const timeoutMs = 100;

const untilAborted = (signal: AbortSignal) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true }));

/** A processor that does what its requests say, and records its calls. `now`: in the queue's time. */
export const recordingProcessor = (now: () => number) => {
  const calls: Call[] = [];
  const processor: Processor = async (request, { attempt, signal }) => {
    const { name, ends = ['done'] } = request as Work;
    const call = { user: name.slice(0, 1), name, attempt, startedAt: now(), endedAt: Infinity };
    calls.push(call);
    try {
      const end = ends[Math.min(attempt, ends.length) - 1];
      await Promise.resolve();
      if (end === 'hang') await untilAborted(signal);
      if (end === 'throw') throw new Error(`attempt ${attempt}`);
      if (end === 'never') throw new UnrecoverableError('never');
      if (end === 'later') throw new RetryAfterError('later', { retryAfterMs: askedPauseMs });
      return { name, attempt };
    } finally {
      call.endedAt = now();
    }
  };
  return { calls, processor };
};

const enqueueAll = async (queue: Queue, user: string, works: Work[], options?: Parameters<Queue['enqueue']>[2]) => {
  for (const work of works) await queue.enqueue(user, work, options);
};
const sequence = (calls: Call[], user: string) =>
  calls.filter((call) => call.user === user).map(({ name, attempt }) => `${name} ${attempt}`);
const pauseBefore = (calls: Call[], name: string, attempt: number): number => {
  const of = (number: number) => calls.find((call) => call.name === name && call.attempt === number)!;
  return of(attempt).startedAt - of(attempt - 1).endedAt;
};

type Scenario = { policy?: ProcessorPolicy; run(queue: Queue, calls: Call[]): Promise<void> };

/** By what they show. Each has users of its own, whose names are one letter. */
export const scenarios: Record<string, Scenario> = {
  'runs the requests of one user in order, through retries, and one at a time': {
    async run(queue, calls) {
      await enqueueAll(queue, 'a', [{ name: 'a1', ends: ['throw', 'throw', 'done'] }, { name: 'a2' }, { name: 'a3' }]);
      expect(await queue.result('a', 3)).toMatchObject({ status: 'done', result: { name: 'a3', attempt: 1 } });
      expect(await queue.result('a', 1)).toMatchObject({ status: 'done', attempts: 3, result: { attempt: 3 } });
      expect(sequence(calls, 'a')).toEqual(['a1 1', 'a1 2', 'a1 3', 'a2 1', 'a3 1']);
      for (const [index, { startedAt }] of calls.entries()) {
        expect(startedAt).toBeGreaterThanOrEqual(calls[index - 1]?.endedAt ?? 0);
      }
    },
  },
  'makes a pause before each attempt that grows from retryBaseMs, by a doubled bound': {
    async run(queue, calls) {
      await enqueueAll(queue, 'b', [{ name: 'b1', ends: ['throw'] }]);
      expect(await queue.result('b', 1)).toMatchObject({ status: 'failed', attempts: 3 });
      // Timers of Node may fire up to a millisecond early.
      expect(pauseBefore(calls, 'b1', 2)).toBeGreaterThanOrEqual(19);
      expect(pauseBefore(calls, 'b1', 3)).toBeGreaterThanOrEqual(19);
    },
  },
  'makes a request that failed its last attempt a dead letter, and goes on': {
    async run(queue, calls) {
      await enqueueAll(queue, 'c', [{ name: 'c1', ends: ['throw'] }, { name: 'c2' }]);
      expect(await queue.result('c', 2)).toMatchObject({ status: 'done' });
      expect(await queue.deadLetters('c')).toMatchObject([
        { user: 'c', seq: 1, status: 'failed', attempts: 3, deadLetter: { reason: 'failed' } },
      ]);
      expect(sequence(calls, 'c')).toEqual(['c1 1', 'c1 2', 'c1 3', 'c2 1']);
      await queue.drop('c', 1);
      expect(await queue.deadLetters('c')).toEqual([]);
    },
  },
  'fails a request at once after an UnrecoverableError': {
    async run(queue, calls) {
      await enqueueAll(queue, 'd', [{ name: 'd1', ends: ['never'] }]);
      const failed = await queue.result('d', 1);
      expect(failed).toMatchObject({ status: 'failed', error: { name: 'UnrecoverableError', message: 'never' } });
      expect(sequence(calls, 'd')).toEqual(['d1 1']);
    },
  },
  'waits as long as a RetryAfterError asks': {
    async run(queue, calls) {
      await enqueueAll(queue, 'e', [{ name: 'e1', ends: ['later', 'done'] }]);
      expect(await queue.result('e', 1)).toMatchObject({ status: 'done', attempts: 2 });
      expect(pauseBefore(calls, 'e1', 2)).toBeGreaterThanOrEqual(askedPauseMs - 1);
    },
  },
  'holds a user behind a blocked request until a person retries it': {
    policy: { onFailure: 'block', maxAttempts: 2 },
    async run(queue, calls) {
      await enqueueAll(queue, 'f', [{ name: 'f1', ends: ['throw', 'throw', 'done'] }, { name: 'f2' }]);
      expect(await queue.result('f', 1)).toMatchObject({ status: 'blocked', attempts: 2 });
      expect(sequence(calls, 'f')).toEqual(['f1 1', 'f1 2']);
      expect(await queue.retry('f', 1)).toBe(1);
      expect(await queue.result('f', 2)).toMatchObject({ status: 'done' });
      expect(sequence(calls, 'f')).toEqual(['f1 1', 'f1 2', 'f1 3', 'f2 1']);
    },
  },
  'fails a blocked request that a person skips, and goes on': {
    policy: { onFailure: 'block', maxAttempts: 1 },
    async run(queue) {
      await enqueueAll(queue, 'g', [{ name: 'g1', ends: ['throw'] }, { name: 'g2' }]);
      expect(await queue.result('g', 1)).toMatchObject({ status: 'blocked' });
      await queue.skip('g', 1);
      expect(await queue.result('g', 2)).toMatchObject({ status: 'done' });
      expect(await queue.result('g', 1)).toMatchObject({ status: 'failed' });
    },
  },
  'runs a failed request again as a new one, once': {
    async run(queue, calls) {
      await enqueueAll(queue, 'h', [{ name: 'h1', ends: ['never'] }, { name: 'h2' }]);
      await queue.result('h', 2);
      expect(await queue.retry('h', 1)).toBe(3);
      expect(await queue.result('h', 3)).toMatchObject({ status: 'failed', retryOf: 1 });
      expect(sequence(calls, 'h')).toEqual(['h1 1', 'h2 1', 'h1 1']);
      await expect(queue.retry('h', 1)).rejects.toMatchObject({ code: 'not-retryable' });
    },
  },
  'takes the same Idempotency-Key for the same request': {
    async run(queue, calls) {
      expect(await queue.enqueue('i', { name: 'i1' }, { key: 'k' })).toMatchObject({ seq: 1 });
      await queue.result('i', 1);
      expect(await queue.enqueue('i', { name: 'i1' }, { key: 'k' })).toMatchObject({ seq: 1, status: 'done' });
      await expect(queue.enqueue('i', { name: 'i2' }, { key: 'k' })).rejects.toMatchObject({
        code: 'idempotency-key-reused',
      });
      expect(await queue.enqueue('j', { name: 'j1' }, { key: 'k' })).toMatchObject({ seq: 1, status: 'queued' });
      expect(sequence(calls, 'i')).toEqual(['i1 1']);
    },
  },
  'fails an attempt at its deadline, and cancels a request that has not started': {
    policy: { onFailure: 'block', maxAttempts: 1 },
    async run(queue, calls) {
      await queue.enqueue('k', { name: 'k1', ends: ['hang'] }, { timeoutMs });
      await queue.enqueue('k', { name: 'k2' });
      await queue.cancel('k', 2);
      await queue.pass(timeoutMs);
      expect(await queue.result('k', 1)).toMatchObject({ status: 'blocked', error: { name: 'RunTimeoutError' } });
      expect(await queue.result('k', 2)).toMatchObject({ status: 'cancelled', attempts: 0 });
      expect(sequence(calls, 'k')).toEqual(['k1 1']);
    },
  },
  'lets a request have fewer attempts than the policy': {
    async run(queue) {
      await queue.enqueue('l', { name: 'l1', ends: ['throw'] }, { maxAttempts: 1 });
      expect(await queue.result('l', 1)).toMatchObject({ status: 'failed', attempts: 1 });
    },
  },
  'runs other users beside one whose run goes on': {
    async run(queue) {
      await queue.enqueue('m', { name: 'm1', ends: ['hang'] }, { timeoutMs: 60_000 });
      await queue.enqueue('n', { name: 'n1' });
      expect(await queue.result('n', 1)).toMatchObject({ status: 'done' });
    },
  },
};

export const policyOf = (scenario: Scenario): ProcessorPolicy => ({ ...policy, ...scenario.policy });
