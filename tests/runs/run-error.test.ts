import { expect, test } from '@jest/globals';
import { RetryAfterError, UnrecoverableError } from '../../lib/processor.ts';
import { toRunError } from '../../lib/runs/run-error.ts';
import type { RunError } from '../../lib/types.ts';

/** The errors of a refused connection to `localhost`, as Node makes them. */
const refused = (address: string) =>
  Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: 'ECONNREFUSED' });
const connectError = () => new AggregateError([refused('::1:9'), refused('127.0.0.1:9')], '');

const textOf = (error: RunError): string => JSON.stringify(error);
const chain = (length: number): Error =>
  Array.from({ length }).reduce<Error>((cause, _, n) => new Error(`error ${n}`, { cause }), new Error('first'));

test('an error keeps its cause, and that its own', () => {
  expect(toRunError(new TypeError('fetch failed', { cause: refused('127.0.0.1:9') }))).toEqual({
    name: 'TypeError',
    message: 'fetch failed',
    cause: { name: 'Error', message: 'connect ECONNREFUSED 127.0.0.1:9' },
  });
});

test('an AggregateError keeps its parts, and says what they say when it has no message', () => {
  expect(toRunError(connectError())).toEqual({
    name: 'AggregateError',
    message: 'connect ECONNREFUSED ::1:9; connect ECONNREFUSED 127.0.0.1:9',
    errors: [
      { name: 'Error', message: 'connect ECONNREFUSED ::1:9' },
      { name: 'Error', message: 'connect ECONNREFUSED 127.0.0.1:9' },
    ],
  });
});

test.each([
  ['its cause', new Error('', { cause: new Error('why') }), 'why'],
  ['its code', Object.assign(new Error(), { code: 'ENOMEM' }), 'ENOMEM'],
  ['that it has none', new Error(), 'The error has no message'],
])('an error without a message says %s', (_what, thrown, message) => {
  expect(toRunError(thrown).message).toBe(message);
});

class PaymentRefused {
  readonly code = 402;
  readonly reasons = ['limit', { until: 'Monday' }];
}

const cycle: Record<string, unknown> = { name: 7 };
cycle.self = { again: cycle };

test.each<[string, unknown, string]>([
  ['a plain object', { code: 3, why: { text: 'no' } }, '{ code: 3, why: { text: "no" } }'],
  [
    'an object of a class',
    new PaymentRefused(),
    'PaymentRefused { code: 402, reasons: ["limit", { until: "Monday" }] }',
  ],
  ['an array', [1, [new Error('x')]], '[1, ["x"]]'],
  ['an object without members', new Map(), 'Map {}'],
  ['an object without a prototype', Object.assign(Object.create(null), { a: 1n }), '{ a: 1 }'],
  ['a function', () => 1, '[function]'],
  ['a symbol', Symbol('s'), 'Symbol(s)'],
  ['a cycle', cycle, '{ name: 7, self: { again: { name: 7, self: … } } }'],
  [
    'many members',
    Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`k${n}`, n])),
    expect.stringMatching(/k19: 19, … }$/) as never,
  ],
])('%s that is thrown is readable', (_what, thrown, message) => {
  expect(toRunError(thrown)).toEqual({ name: 'Error', message });
});

const hostileProxy = new Proxy(
  {},
  {
    get: () => {
      throw new Error('get');
    },
    getPrototypeOf: () => {
      throw new Error('prototype');
    },
    ownKeys: () => {
      throw new Error('keys');
    },
    getOwnPropertyDescriptor: () => {
      throw new Error('descriptor');
    },
  },
);
const hostileArray = new Proxy([1], {
  get: () => {
    throw new Error('get');
  },
});
const hostileError = Object.defineProperties(new Error('kept'), {
  cause: {
    get: () => {
      throw new Error('cause');
    },
  },
  errors: { value: hostileArray },
});

test('nothing that is thrown makes recording it throw', () => {
  expect(toRunError(hostileProxy)).toEqual({ name: 'Error', message: '{}' });
  expect(toRunError(hostileError)).toEqual({ name: 'Error', message: 'kept' });
  expect(toRunError(Object.assign(new Error('x'), { errors: hostileArray }))).toEqual({ name: 'Error', message: 'x' });
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  expect(toRunError(revoked.proxy)).toMatchObject({ name: 'Error' });
});

test('cycles end, and width, depth and length are bounded', () => {
  const own = new Error('own');
  own.cause = own;
  expect(toRunError(own)).toEqual({ name: 'Error', message: 'own' });
  const wide = new AggregateError(
    Array.from({ length: 100 }, (_, n) => new AggregateError(chain(n % 9) && [chain(8), own])),
  );
  const cyclic = new AggregateError([wide, wide], 'm'.repeat(10_000));
  (wide as Error).cause = cyclic;
  for (const thrown of [wide, cyclic, chain(100)]) expect(textOf(toRunError(thrown)).length).toBeLessThan(8_000);
  expect(
    textOf(toRunError({ text: 'x'.repeat(1_000_000), list: Array.from({ length: 1_000_000 }) })).length,
  ).toBeLessThan(2_000);
});

test('a text that is cut has no half of a character', () => {
  expect(toRunError(new Error('😀'.repeat(1_000))).message.isWellFormed()).toBe(true);
});

test.each<[string, unknown, boolean]>([
  ['an UnrecoverableError', new UnrecoverableError('x'), true],
  ['a RetryAfterError', new RetryAfterError('x', { retryAfterMs: 1 }), true],
  ['an error with expose: true', Object.assign(new Error('x'), { expose: true }), true],
  ['any other error', new Error('x'), false],
  ['an error with another truthy expose', Object.assign(new Error('x'), { expose: 'yes' }), false],
  ['an error that asks for a pause', Object.assign(new Error('x'), { retryAfterMs: 5 }), false],
  ['an UnrecoverableError with expose: false', Object.assign(new UnrecoverableError('x'), { expose: false }), false],
  ['a marked error that says only what its parts say', Object.assign(connectError(), { expose: true }), false],
])('%s is marked as exposed, or is not', (_what, thrown, exposed) => {
  expect(toRunError(thrown).exposed ?? false).toBe(exposed);
});
