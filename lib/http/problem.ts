/** The only place that turns errors into HTTP replies: RFC 9457, with a stable `code`. */
import { STATUS_CODES } from 'node:http';
import { AppError } from '../errors.ts';
import { headersOf, type Reply } from './call.ts';

/** The content type of every error. */
export const problemType = 'application/problem+json';

const unexpected = new AppError('Unexpected error.', { code: 'internal-error', status: 500 });

/** An error that is not an `AppError` becomes a 500 without a detail. */
export const asAppError = (error: unknown): AppError => (error instanceof AppError ? error : unexpected);

/** An error that must not be exposed has a `code` but no `detail`. */
export const problemReply = (error: unknown): Reply => {
  const { status, code, message, expose, retryAfterSeconds } = asAppError(error);
  return {
    statusCode: status,
    headers: {
      ...headersOf(problemType),
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
