/** What callers of the library pass, checked by the rules of the HTTP API. */
import { z } from 'zod';
import { checkKeysDiffer, listOf } from '../http/batch-input.ts';
import { InvalidRequestError, RequestTooLargeError } from '../http/errors.ts';
import { idempotencyKey, maxEnqueueTextBytes, runLimits, validate } from '../http/input.ts';
import { depthOf, maxDepth } from '../http/json-text.ts';
import { maxRequestBytes } from '../limits.ts';
import { onceFor } from '../once-for.ts';
import type { NewRequest } from '../requests/operations.ts';
import { readTraceparent } from '../traceparent.ts';
import { deadLetterReasons, requestStatuses } from '../types.ts';
import type {
  DeadLetterQuery,
  DeadLetterSelection,
  DisconnectOptions,
  EnqueueOptions,
  PageOptions,
  RequestToEnqueue,
  WaitOptions,
} from './types.ts';

type Ceilings = Parameters<typeof runLimits>[0];

const strictRunLimits = onceFor((ceilings: Ceilings) => runLimits(ceilings).strict());

const limitRange = z.int().min(1).max(100).default(50);
const page = z.strictObject({
  status: z.enum(requestStatuses).optional(),
  after: z.int().min(0).default(0),
  limit: limitRange,
});
const wait = z.strictObject({
  /** As long as a timer of Node can be. */
  waitMs: z.number().min(0).max(2_147_483_647).default(0),
  signal: z.instanceof(AbortSignal).optional(),
});
const disconnection = wait.extend({ pending: z.enum(['drain', 'cancel']).default('drain') });
const seq = z.int().min(1);
/** A reference, a user name or a user id. */
const whom = z.string().min(1).max(256);
const stuckPage = z.strictObject({ limit: limitRange });
const deadLetterPage = z.strictObject({
  user: whom.optional(),
  reason: z.enum(deadLetterReasons).optional(),
  after: z.string().optional(),
  limit: limitRange,
});
const maxItems = 100;
const selection = z
  .strictObject({
    items: z
      .array(z.strictObject({ user: whom, seq }))
      .min(1)
      .max(maxItems)
      .optional(),
    user: whom.optional(),
    all: z.literal(true).optional(),
    after: z.string().optional(),
  })
  .refine(({ items, user, all }) => [items, user, all].filter((one) => one !== undefined).length === 1, {
    message: 'must have exactly one of items, user and all: true',
  });

/** @throws {InvalidRequestError} 400 when it is no JSON value; {RequestTooLargeError} 413 */
const textOf = (request: unknown, what: string): string => {
  let text: string | undefined;
  try {
    text = JSON.stringify(request);
  } catch (cause) {
    throw new InvalidRequestError(`${what}: is no JSON value: ${(cause as Error).message}`, 'invalid-request', cause);
  }
  if (text === undefined) throw new InvalidRequestError(`${what}: is no JSON value: it is ${typeof request}`);
  if (Buffer.byteLength(text) > maxRequestBytes) throw new RequestTooLargeError('The request', maxRequestBytes);
  if (depthOf(text) > maxDepth) throw new InvalidRequestError(`${what}: may nest at most ${maxDepth} levels deep`);
  return text;
};

/** @param what the names of the two arguments, for errors. */
export const newRequestOf = (
  request: unknown,
  { key, traceparent, ...rest }: EnqueueOptions,
  config: Ceilings,
  what = { request: 'request', options: 'options' },
): NewRequest => {
  const limits = validate(strictRunLimits(config), rest, what.options);
  return {
    body: textOf(request, what.request),
    key: validate(idempotencyKey, key, `${what.options}.key`),
    limits: Object.keys(limits).length > 0 ? limits : undefined,
    traceparent: readTraceparent(traceparent),
  };
};

const listOfObjects = listOf(z.looseObject({}));

/** @throws {InvalidRequestError} 400; {RequestTooLargeError} 413 */
export const newRequestsOf = (requests: RequestToEnqueue[], config: Ceilings): NewRequest[] => {
  validate(listOfObjects, requests, 'requests');
  const all = requests.map(({ request, ...options }, index) => {
    const what = `requests.${index}`;
    return newRequestOf(request, options, config, { request: `${what}.request`, options: what });
  });
  checkKeysDiffer(all, 'requests');
  const bytes = all.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
  if (bytes > maxEnqueueTextBytes)
    throw new RequestTooLargeError('The requests of a call together', maxEnqueueTextBytes);
  return all;
};

export const pageOf = (options: PageOptions) => validate(page, options, 'options');
export const stuckPageOf = (options: { limit?: number }) => validate(stuckPage, options, 'options');
export const deadLetterPageOf = (options: DeadLetterQuery) => validate(deadLetterPage, options, 'options');
export const waitOf = (options: WaitOptions) => validate(wait, options, 'options');
export const disconnectionOf = (options: DisconnectOptions) => validate(disconnection, options, 'options');
export const seqOf = (value: number): number => validate(seq, value, 'seq');
export const whomOf = (value: string): string => validate(whom, value, 'user');

/** No empty selection means all users: a field that is misspelled must not decide about everybody. */
export const checkedSelection = (value: DeadLetterSelection) => validate(selection, value, 'selection');
