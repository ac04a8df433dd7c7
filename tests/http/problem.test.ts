import { describe, expect, test } from '@jest/globals';
import { InvalidTokenError } from '../../lib/accounts/errors.ts';
import { BrokerUnavailableError } from '../../lib/errors.ts';
import { problemReply } from '../../lib/http/problem.ts';
import { TooManyPendingError } from '../../lib/requests/errors.ts';

const demand = { bytes: 1, maxPending: 7, maxPendingBytes: 1_000 };
const pending = { pending: 7, pendingBytes: 7, waitMs: 0, countDue: false, settled: 0, settledBytes: 0 };
const tooMany = new TooManyPendingError({ refused: 'requests', ...pending }, demand);

const problem = (error: unknown) => JSON.parse(problemReply(error).body ?? '');

describe('problemReply', () => {
  test('shows the code and the message of an error that the caller can fix', () => {
    const reply = problemReply(tooMany);
    expect(reply.statusCode).toBe(429);
    expect(reply.headers).toMatchObject({ 'content-type': 'application/problem+json', 'retry-after': '1' });
    expect(problem(tooMany)).toEqual({
      type: 'about:blank',
      title: 'Too Many Requests',
      status: 429,
      code: 'too-many-pending',
      detail: expect.stringContaining('the limit is 7'),
    });
  });

  test.each([
    ['requests', { ...demand, count: 8 }, 'this call has 8; the limit is 7 (MAX_PENDING).'],
    ['bytes', { ...demand, count: 2, bytes: 1_001 }, 'these 2 have 1001 bytes; the limit is 1000 bytes'],
  ])('does not tell a client to repeat a call that has too many %s for any moment', (_what, more, limit) => {
    for (const refused of ['requests', 'bytes'] as const) {
      const never = new TooManyPendingError({ refused, ...pending }, more);
      expect(problemReply(never).headers).not.toHaveProperty('retry-after');
      expect(problem(never)).toMatchObject({ status: 429, code: 'too-many-pending' });
      expect(problem(never).detail).toContain(limit);
      expect(problem(never).detail).toContain('They never fit, however few are pending.');
    }
  });

  test('sends WWW-Authenticate with every 401', () => {
    const reply = problemReply(new InvalidTokenError('No.', 'missing-token'));
    expect(reply.headers).toMatchObject({ 'www-authenticate': 'Bearer' });
  });

  test('shows only the code of an internal error, and when to try again', () => {
    const error = new BrokerUnavailableError('amqp://user:hunter2@10.0.0.1 refused', new Error('ECONNREFUSED'));
    expect(problemReply(error).headers).toMatchObject({ 'retry-after': '1' });
    expect(problem(error)).toEqual({
      type: 'about:blank',
      title: 'Service Unavailable',
      status: 503,
      code: 'broker-unavailable',
    });
  });

  test.each([new TypeError('secret'), 'secret', undefined, { status: 200, code: 'secret' }])(
    'shows nothing of an unexpected error: %p',
    (thrown) => {
      expect(problem(thrown)).toEqual({
        type: 'about:blank',
        title: 'Internal Server Error',
        status: 500,
        code: 'internal-error',
      });
    },
  );
});
