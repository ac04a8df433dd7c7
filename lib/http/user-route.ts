/** The routes `/users/{ref}/…`, for back ends and operators. */
import { z } from 'zod';
import { workersByToken } from '../requests/attempts.ts';
import type { Call } from './call.ts';
import { validate } from './input.ts';
import type { ShownWorkers } from './shown-attempt.ts';
import type { Exposure } from './shown-error.ts';

const query = z.object({ as: z.literal('operator', 'must be operator').optional() });

/**
 * The user in the path; `undefined` on other routes. Every gateway has percent-decoded it once: it must not be decoded again, or `%2F` and
 * `/` would be one user.
 */
export const referenceOf = ({ pathParameters }: Pick<Call, 'pathParameters'>): string | undefined =>
  pathParameters?.ref;

/** Whether the caller acts as an operator (`?as=operator`). @throws {InvalidRequestError} 400 */
export const isAsOperator = (call: Call): boolean =>
  referenceOf(call) !== undefined && validate(query, call.queryStringParameters ?? {}, 'query').as !== undefined;

/** Which errors the call shows in full. */
export const exposureOf = (call: Call): Exposure => (isAsOperator(call) ? { exposeErrors: 'all' } : call.deps.config);

/** Which worker had each fencing token of the user's lane, where the caller may see it. */
export const workersFor = async (call: Call): Promise<ShownWorkers | undefined> =>
  isAsOperator(call) ? workersByToken(call.userQueue.lane, call.deps) : undefined;

/** A call in a text for clients, such as `POST /requests/7/retry`, as one of the route on which this call came. */
export const asSentFor = ({ pathParameters }: Pick<Call, 'pathParameters'>, text: string): string => {
  const reference = referenceOf({ pathParameters });
  return reference === undefined ? text : text.replace(' /', ` /users/${encodeURIComponent(reference)}/`);
};
