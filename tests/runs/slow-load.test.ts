import { expect, test } from '@jest/globals';
import { warnWhileLoading } from '../../lib/runs/slow-load.ts';
import { readableLog } from '../support/log-lines.ts';

test('a processor whose loading does not end is reported after 10 s, and once a minute', async () => {
  const { log, lines } = readableLog();
  const loading = Promise.withResolvers<string>();
  const timers: { ms: number; done: () => void; cancelled?: boolean }[] = [];
  let now = 0;
  const clock = {
    monotonicMs: () => now,
    after: (ms: number, done: () => void) => {
      const timer: (typeof timers)[number] = { ms, done };
      timers.push(timer);
      return () => {
        timer.cancelled = true;
      };
    },
  };
  const loaded = warnWhileLoading(loading.promise, './slow.ts', { clock, log });
  for (let n = 0; n < 3; n += 1) {
    now += timers[n]?.ms ?? 0;
    timers[n]?.done();
  }
  expect(lines.map(({ processor, seconds }) => [processor, seconds])).toEqual([
    ['./slow.ts', 10],
    ['./slow.ts', 70],
    ['./slow.ts', 130],
  ]);
  loading.resolve('ready');
  expect(await loaded).toBe('ready');
  expect(timers.at(-1)?.cancelled).toBe(true);
});
