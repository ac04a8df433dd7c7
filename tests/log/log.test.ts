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
});
