import { describe, expect, test } from '@jest/globals';
import { describeAll, drawBar, noteEntries, type Progress } from '../../tools/demo/progress.ts';
import { describeVerdict } from '../../tools/demo/report.ts';
import { judge, type UserHistory } from '../../tools/demo/verdict.ts';

const progress = (given: Partial<Progress> = {}): Progress => ({
  username: 'ada',
  total: 10,
  accepted: 0,
  settled: 0,
  running: undefined,
  ...given,
});

const entries = (...statuses: string[]) => statuses.map((status, index) => ({ seq: index + 1, status }));

describe('the progress of a user', () => {
  test('counts what is settled up to the first that is not, and names what runs', () => {
    const ada = progress({ accepted: 5 });
    noteEntries(ada, entries('done', 'failed', 'processing', 'queued', 'queued'));
    expect(ada).toMatchObject({ settled: 2, running: 3 });
  });

  test('does not count beyond a gap: order is what is shown', () => {
    const ada = progress();
    noteEntries(ada, [
      { seq: 1, status: 'done' },
      { seq: 3, status: 'done' },
    ]);
    expect(ada.settled).toBe(1);
  });

  test('does not count a request that is put on hold as settled', () => {
    const ada = progress();
    noteEntries(ada, entries('done', 'blocked'));
    expect(ada.settled).toBe(1);
  });

  test('goes on from where it was, and forgets what ran before', () => {
    const ada = progress({ settled: 2, running: 3 });
    noteEntries(ada, [
      { seq: 3, status: 'done' },
      { seq: 4, status: 'cancelled' },
    ]);
    expect(ada).toMatchObject({ settled: 4, running: undefined });
  });

  test('is drawn as settled, accepted and not sent, always as wide as asked', () => {
    expect(drawBar(progress({ settled: 2, accepted: 5 }), 10)).toBe('██▒▒▒░░░░░');
    expect(drawBar(progress(), 10)).toBe('░░░░░░░░░░');
    expect(drawBar(progress({ settled: 11, accepted: 10 }), 10)).toBe('██████████');
    expect(drawBar(progress({ total: 0 }), 3)).toBe('░░░');
  });

  test('is one line for all users where nothing can be drawn', () => {
    const ben = progress({ username: 'ben', settled: 10, accepted: 10 });
    const cleo = progress({ username: 'cleo', settled: 1, accepted: 4 });
    expect(describeAll([progress({ settled: 1, accepted: 4, running: 2 }), ben, cleo])).toBe(
      'ada 1/4 (runs #2)  ben 10/10 (done)  cleo 1/4 (next #2)',
    );
  });
});

const history = (username: string): UserHistory => ({
  username,
  sent: [{ seq: 1, request: 'hello' }],
  entries: [
    {
      seq: 1,
      status: 'done',
      attempts: 2,
      result: 'hello',
      startedAt: '2026-01-01T00:00:00.000Z',
      settledAt: '2026-01-01T00:00:00.004Z',
    },
  ],
  queue: 'closed',
});

describe('the report of the demo', () => {
  test('says which promises were kept, and how many requests needed another attempt', () => {
    const users = [history('ada'), history('ben')];
    const report = describeVerdict(users, judge(users), 1.25);
    expect(report).toContain('✔ users ran side by side (up to 2 at once)');
    expect(report).toContain('2 requests of 2 users in 1.3 s; 2 needed more than one attempt.');
    expect(report).toMatch(/^Every promise was kept\.$/m);
  });

  test('names what was not kept, but not more than a screen can hold', () => {
    const users = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((username) => ({ ...history(username), queue: 'draining' }));
    const report = describeVerdict(users, judge(users), 1);
    expect(report).toContain('✘ every queue ended when its user disconnected');
    expect(report).toContain('a: the queue is draining');
    expect(report).toContain('and 2 more');
    expect(report).toMatch(/^NOT every promise was kept\.$/m);
  });
});
