import { describe, expect, test } from '@jest/globals';
import { checkHealth } from '../../lib/http/health.ts';
import { readableLog, warn } from '../support/log-lines.ts';
import { testConfig } from '../support/servers.ts';

const never = () => new Promise<void>(() => undefined);
const answers = async () => undefined;

const check = (ping: { mongodb(): Promise<void>; rabbitmq(): Promise<void> }) => {
  const { log, lines } = readableLog();
  const timers: { ms: number; callback: () => void }[] = [];
  const clock = {
    now: () => new Date(),
    monotonicMs: () => 0,
    random: () => 0,
    after: (ms: number, callback: () => void) => {
      const timer = { ms, callback };
      timers.push(timer);
      return () => {
        timers.splice(timers.indexOf(timer), 1);
      };
    },
  };
  return { health: checkHealth({ ping, clock, log, config: testConfig() }), lines, timers };
};

describe('the health check', () => {
  test('leaves no timer behind when both servers answer', async () => {
    const { health, timers } = check({ mongodb: answers, rabbitmq: answers });
    expect(await health).toMatchObject({ status: 'ok', mongodb: { ok: true }, rabbitmq: { ok: true } });
    expect(timers).toEqual([]);
  });

  test('counts a server that does not answer within 2 s as down', async () => {
    const { health, lines, timers } = check({ mongodb: answers, rabbitmq: never });
    const timer = timers.at(-1);
    expect(timer?.ms).toBe(2_000);
    timer?.callback();
    expect(await health).toMatchObject({ status: 'degraded', mongodb: { ok: true }, rabbitmq: { ok: false } });
    expect(lines).toMatchObject([{ level: warn, msg: 'health check failed', server: 'rabbitmq' }]);
  });

  test('logs why a server is down and does not tell the client', async () => {
    const fails = async () => {
      throw new Error('connect ECONNREFUSED 10.0.0.1:5672');
    };
    const { health, lines } = check({ mongodb: fails, rabbitmq: answers });
    expect(JSON.stringify(await health)).not.toContain('10.0.0.1');
    expect(lines).toMatchObject([{ server: 'mongodb', err: { message: 'connect ECONNREFUSED 10.0.0.1:5672' } }]);
  });
});
