import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { WriteStream } from 'node:tty';
import { describe, expect, test } from '@jest/globals';
import { createDisplay, drawBar, type Progress } from '../../tools/demo/progress.ts';
import { describeVerdict, judge, type UserHistory } from '../../tools/demo/verdict.ts';

const progress = (given: Partial<Progress> = {}): Progress => ({
  username: 'ada',
  total: 10,
  accepted: 0,
  settled: 0,
  ...given,
});

describe('the progress of a user', () => {
  test('is drawn as settled, accepted and not sent, always in the given width', () => {
    expect(drawBar(progress({ settled: 2, accepted: 5 }), 10)).toBe('██▒▒▒░░░░░');
    expect(drawBar(progress(), 10)).toBe('░░░░░░░░░░');
    expect(drawBar(progress({ settled: 11, accepted: 10 }), 10)).toBe('██████████');
    expect(drawBar(progress({ total: 0 }), 3)).toBe('░░░');
  });

  test('is one line for each user where there is no terminal, and the last state is always printed', async () => {
    const stream = new PassThrough();
    const users = [progress(), progress({ username: 'cleo' })];
    const display = createDisplay(stream as unknown as WriteStream, users);
    Object.assign(users[0]!, { settled: 10, accepted: 10 });
    Object.assign(users[1]!, { settled: 5, accepted: 10 });
    display.end();
    stream.end();
    const lines = (await text(stream)).trim().split('\n').slice(-2);
    expect(lines).toEqual([
      `ada   ${'█'.repeat(40)}  10 of 10 settled`,
      `cleo  ${'█'.repeat(20)}${'▒'.repeat(20)}   5 of 10 settled`,
    ]);
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
  test('says which guarantees were kept, and how many requests needed another attempt', () => {
    const users = [history('ada'), history('ben')];
    const report = describeVerdict(users, judge(users), 1.25);
    expect(report).toContain('✔ users ran side by side (up to 2 at once)');
    expect(report).toContain('2 requests of 2 users in 1.3 s; 2 needed more than one attempt.');
    expect(report).toMatch(/^Every guarantee was kept\.$/m);
  });

  test('lists what was not kept, but no more than fits on a screen', () => {
    const users = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((username) => ({ ...history(username), queue: 'draining' }));
    const report = describeVerdict(users, judge(users), 1);
    expect(report).toContain('✘ every queue ended when its user disconnected');
    expect(report).toContain('a: the queue is draining');
    expect(report).toContain('and 2 more');
    expect(report).toMatch(/^NOT every guarantee was kept\.$/m);
  });
});
