import { expect, test } from '@jest/globals';
import { forPeople } from '../../tools/start/lines.ts';

test('a log line in JSON is shown as its level, its text and its fields', () => {
  const line = JSON.stringify({
    level: 40,
    time: 'now',
    lane: 3,
    err: { message: 'gone', stack: 'long' },
    msg: 'lost',
  });
  expect(forPeople(line)).toBe('warn lost lane=3 err=gone');
});

test.each(['Server ready', '{"level":"odd"}', '{ broken', '[1]'])('%s is shown as it is', (line) => {
  expect(forPeople(line)).toBe(line);
});
