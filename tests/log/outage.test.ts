import { describe, expect, test } from '@jest/globals';
import { watchOutages } from '../../lib/outage.ts';
import { info, readableLog, warn } from '../support/log-lines.ts';

const texts = { away: 'the server is away', back: 'the server is back' };

const watched = () => {
  let nowMs = 0;
  const { log, lines } = readableLog();
  const outages = watchOutages(log, texts, { connection: 'a' }, () => nowMs);
  return {
    ...outages,
    lines,
    logged: () => lines.map(({ level, msg }) => [level, msg]),
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
};

describe('an outage', () => {
  test('is logged once, with its reason, and once more when it is over', () => {
    const { failed, succeeded, lines, logged, pass } = watched();
    for (let n = 0; n < 64; n += 1) failed(new Error('connect ECONNREFUSED'));
    pass(5_000);
    succeeded();
    succeeded();
    expect(logged()).toEqual([
      [warn, texts.away],
      [info, texts.back],
    ]);
    expect(lines[0]).toMatchObject({ reason: 'connect ECONNREFUSED', connection: 'a' });
    expect(lines[1]).toMatchObject({ seconds: 5 });
  });

  test('is logged again every minute while it lasts, and a new one immediately', () => {
    const { failed, succeeded, logged, pass } = watched();
    for (let second = 0; second < 121; second += 1) {
      failed(new Error('no'));
      pass(1_000);
    }
    expect(logged()).toHaveLength(3);
    succeeded();
    failed(new Error('no'));
    expect(logged()).toHaveLength(5);
  });

  test('that never began is not logged', () => {
    const { succeeded, logged } = watched();
    succeeded();
    expect(logged()).toEqual([]);
  });

  test('is not ended by the answer to a call that was sent before it', () => {
    const { failed, failures, succeeded, logged } = watched();
    const failuresBefore = failures();
    failed(new Error('no'));
    succeeded(failuresBefore);
    expect(logged()).toHaveLength(1);
    succeeded(failures());
    expect(logged()).toHaveLength(2);
  });

  test.each([
    ['in a URL', new Error('Invalid connection string "amqp://user:pa#ss@host/x"')],
    ['in a URL with a blank', new Error('not a URL: mongodb://user:pa#ss with blank@host/x')],
  ])('does not log a password %s', (_where, error) => {
    const { failed, lines } = watched();
    failed(error);
    expect(JSON.stringify(lines)).not.toMatch(/pa#ss|user:|host/);
  });

  test('names every reason when a host name has several addresses and none answers', () => {
    const { failed, lines } = watched();
    failed(
      new AggregateError([new Error('connect ECONNREFUSED ::1:1'), new Error('connect ECONNREFUSED 127.0.0.1:1')]),
    );
    expect(lines[0]?.reason).toBe('connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1');
  });
});
