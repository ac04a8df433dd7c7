/** Errors to HTTP: the one place where it happens. RFC 9457, with a `code` that stays the same. */
import { STATUS_CODES } from 'node:http';
import { AppError } from '../errors.ts';
import type { Reply } from './call.ts';

const unexpected = new AppError('An unexpected error.', { code: 'internal-error', status: 500 });

export const asAppError = (error: unknown): AppError => (error instanceof AppError ? error : unexpected);

/** What is not to be exposed is told by its `code` alone. */
export const problemReply = (error: unknown): Reply => {
  const { status, code, message, expose, retryAfterSeconds } = asAppError(error);
  return {
    statusCode: status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(status === 401 && { 'www-authenticate': 'Bearer' }),
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    },
    body: JSON.stringify({
      type: 'about:blank',
      title: STATUS_CODES[status],
      status,
      code,
      detail: expose ? message : undefined,
    }),
  };
};
