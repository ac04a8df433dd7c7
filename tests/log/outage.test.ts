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
    answered: () => outages.asking()(),
    lines,
    told: () => lines.map(({ level, msg }) => [level, msg]),
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
};

describe('an outage', () => {
  test('is told once, with its reason, and once more when it is over', () => {
    const { failed, answered, lines, told, pass } = watched();
    for (let n = 0; n < 64; n += 1) failed(new Error('connect ECONNREFUSED'));
    pass(5_000);
    answered();
    answered();
    expect(told()).toEqual([
      [warn, texts.away],
      [info, texts.back],
    ]);
    expect(lines[0]).toMatchObject({ reason: 'connect ECONNREFUSED', connection: 'a' });
    expect(lines[1]).toMatchObject({ seconds: 5 });
  });

  test('is told again every minute while it lasts, and a new one at once', () => {
    const { failed, answered, told, pass } = watched();
    for (let second = 0; second < 121; second += 1) {
      failed(new Error('no'));
      pass(1_000);
    }
    expect(told()).toHaveLength(3);
    answered();
    failed(new Error('no'));
    expect(told()).toHaveLength(5);
  });

  test('that never was is no news', () => {
    const { answered, told } = watched();
    answered();
    expect(told()).toEqual([]);
  });

  test('is not over by the answer to what was asked before it', () => {
    const { failed, asking, told } = watched();
    const early = asking();
    failed(new Error('no'));
    early();
    expect(told()).toHaveLength(1);
    asking()();
    expect(told()).toHaveLength(2);
  });

  test.each([
    ['in a URL', new Error('Invalid connection string "amqp://user:pa#ss@host/x"')],
    ['in a URL with a blank', new Error('not a URL: mongodb://user:pa#ss with blank@host/x')],
  ])('keeps a password %s to itself', (_where, error) => {
    const { failed, lines } = watched();
    failed(error);
    expect(JSON.stringify(lines)).not.toMatch(/pa#ss|user:|host/);
  });

  test('says why when a name has several addresses and none answers', () => {
    const { failed, lines } = watched();
    failed(
      new AggregateError([new Error('connect ECONNREFUSED ::1:1'), new Error('connect ECONNREFUSED 127.0.0.1:1')]),
    );
    expect(lines[0]?.reason).toBe('connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1');
  });
});
