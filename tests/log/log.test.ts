import { Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { createLogger } from '../../lib/log.ts';

const logged = (write: (log: ReturnType<typeof createLogger>) => void): string => {
  let lines = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines += chunk;
      done();
    },
  });
  write(createLogger('info', {}, stream));
  return lines;
};

const throwing = () => {
  throw new Error('unreadable');
};

describe('the log', () => {
  test('shows what happened in an error and its causes, and not what a driver attached to them', () => {
    const driverError = Object.assign(new Error('E11000'), {
      code: 11_000,
      op: { body: 'secret' },
      document: ['secret'],
    });
    const line = logged((log) => log.error({ err: new TypeError('failed', { cause: driverError }) }, 'no'));
    expect(line).not.toContain('secret');
    expect(JSON.parse(line).err).toMatchObject({
      type: 'TypeError',
      message: 'failed',
      cause: { message: 'E11000', code: 11_000 },
    });
  });

  test('shows the parts of an AggregateError, and ends where they contain it', () => {
    const parts: Error[] = [new Error('connect ECONNREFUSED ::1:9'), new Error('connect ECONNREFUSED 127.0.0.1:9')];
    const err = new AggregateError(parts, '');
    err.errors.push(err);
    const { errors } = JSON.parse(logged((log) => log.warn({ err }, 'no'))).err;
    expect(errors.map(({ message }: Error) => message).slice(0, 2)).toEqual(
      parts.slice(0, 2).map((part) => part.message),
    );
  });

  test('hides fields that must not be logged, if code logs them anyway', () => {
    const line = logged((log) =>
      log.info({ password: 'secret', user: { token: 'secret' }, headers: ['secret'] }, 'no'),
    );
    expect(line).not.toContain('secret');
  });

  test('accepts an error that is its own cause, and a value that is not an error', () => {
    const own = new Error('own');
    own.cause = own;
    expect(logged((log) => log.error({ err: own }))).toContain('own');
    expect(logged((log) => log.error({ err: 'secret' }))).not.toContain('secret');
  });

  test('accepts an error that cannot be read, and shortens one that is endless', () => {
    const hostile = { get: throwing };
    const getters = Object.fromEntries(
      ['cause', 'code', 'message', 'name', 'stack', 'errors'].map((name) => [name, hostile]),
    );
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const odd = { name: { toJSON: throwing }, message: Symbol('odd'), code: 1n, stack: 7 };
    const errors = [
      Object.defineProperties(new AggregateError([]), getters),
      Object.assign(new Error(), odd),
      new Error('revoked', { cause: proxy }),
      proxy,
      Object.defineProperty(new AggregateError([]), 'errors', { value: proxy }),
      new Proxy(new Error(), { get: throwing, getPrototypeOf: throwing }),
    ];
    for (const err of errors)
      expect(JSON.parse(logged((log) => log.error({ err }, 'no')))).toMatchObject({ msg: 'no' });
    expect(logged((log) => log.error({ err: new Error('x'.repeat(1_000_000)) }, 'no')).length).toBeLessThan(30_000);
  });
});
