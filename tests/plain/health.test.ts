import { describe, expect, test } from '@jest/globals';
import { createHealthCheck, type Pings } from '../../lib/health.ts';
import { readableLog, warn } from '../support/log-lines.ts';

const never = () => new Promise<void>(() => undefined);
const answers = async () => undefined;
const fails = async () => {
  throw new Error('connect ECONNREFUSED 10.0.0.1:5672');
};

/** A health check with a clock that the test moves. */
const checkOf = (servers: Pings) => {
  const { log, lines } = readableLog();
  const timers: { ms: number; callback: () => void }[] = [];
  let nowMs = 0;
  const clock = {
    monotonicMs: () => nowMs,
    after: (ms: number, callback: () => void) => {
      const timer = { ms, callback };
      timers.push(timer);
      return () => {
        timers.splice(timers.indexOf(timer), 1);
      };
    },
  };
  const pings = { mongodb: 0, rabbitmq: 0 };
  const counted = (server: keyof Pings) => () => {
    pings[server] += 1;
    return servers[server]();
  };
  const ping: Pings = { mongodb: counted('mongodb'), rabbitmq: counted('rabbitmq') };
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { check: createHealthCheck({ ping, clock, log }), lines, timers, pings, pass };
};

describe('the health check', () => {
  test('leaves no timer behind when both servers answer', async () => {
    const { check, timers } = checkOf({ mongodb: answers, rabbitmq: answers });
    expect(await check()).toMatchObject({ status: 'ok', mongodb: { ok: true }, rabbitmq: { ok: true } });
    expect(timers).toEqual([]);
  });

  test('counts a server that does not answer within 2 s as down', async () => {
    const { check, timers } = checkOf({ mongodb: answers, rabbitmq: never });
    const health = check();
    const timer = timers.at(-1);
    expect(timer?.ms).toBe(2_000);
    timer?.callback();
    expect(await health).toMatchObject({ status: 'degraded', mongodb: { ok: true }, rabbitmq: { ok: false } });
  });

  test('asks each server once a second, however often it is called', async () => {
    const { check, pings, pass } = checkOf({ mongodb: answers, rabbitmq: fails });
    for (let call = 0; call < 100; call += 1) await check();
    expect(pings).toEqual({ mongodb: 1, rabbitmq: 1 });
    pass(1_000);
    await Promise.all([check(), check()]);
    expect(pings).toEqual({ mongodb: 2, rabbitmq: 2 });
  });

  test('logs once why a server is down, without a stack, and does not tell the client', async () => {
    const { check, lines, pass } = checkOf({ mongodb: fails, rabbitmq: answers });
    for (let second = 0; second < 30; second += 1) {
      expect(JSON.stringify(await check())).not.toContain('10.0.0.1');
      pass(1_000);
    }
    expect(lines).toMatchObject([{ level: warn, server: 'mongodb', reason: 'connect ECONNREFUSED 10.0.0.1:5672' }]);
    expect(JSON.stringify(lines)).not.toContain('stack');
  });
});
