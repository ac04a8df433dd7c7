/** The input of the calls, validated. Unknown fields are ignored. */
import { z } from 'zod';
import type { Config } from '../config.ts';
import { maxRequestBytes } from '../limits.ts';
import { onceFor } from '../once-for.ts';
import type { NewRequest } from '../requests/operations.ts';
import { interruptionPolicies, requestStatuses } from '../types.ts';
import type { Call } from './call.ts';
import { InvalidRequestError, RequestTooLargeError } from './errors.ts';
import { memberText } from './json-text.ts';

type Ceilings = Pick<Config, 'maxRequestAttempts' | 'maxRunTimeoutMs'>;

const kib = 1_024;

/** The HTTP body of an enqueue: the request, and room for the other fields. */
export const maxEnqueueTextBytes = maxRequestBytes + 16 * kib;

/** The HTTP body of any other call. */
export const maxTextBytes = 16 * kib;

/** bcrypt ignores what follows. */
const maxPasswordBytes = 72;
const passwordBytes = (min: number) =>
  z.string().refine((value) => Buffer.byteLength(value) >= min && Buffer.byteLength(value) <= maxPasswordBytes, {
    message: `must have ${min} to ${maxPasswordBytes} bytes`,
  });

/** bcrypt repeats what ends with a NUL, and turns each half of a surrogate pair into the same bytes: passwords that differ would be equal. */
const isPlainText = (value: string): boolean => !value.includes('\0') && value.isWellFormed();

export const newCredentials = z.object({
  username: z.string().regex(/^[A-Za-z0-9._-]{3,64}$/, 'must be 3 to 64 of A-Z a-z 0-9 . _ -'),
  password: passwordBytes(8).refine(isPlainText, 'must be Unicode without NUL characters'),
  invite: z.string().optional(),
});

/** Looser than at registration, so that a name that cannot be registered fails like a wrong password. */
export const credentials = z.object({ username: z.string().max(256), password: passwordBytes(0) });

const upTo = (max: number, setting: string) =>
  z.number().int().min(1).max(max, `may be at most ${max} here (${setting})`);

/**
 * Not 0: a request can switch neither its attempts nor the timeout of its runs off. Once for a configuration, because zod compiles
 * each schema.
 */
export const runLimits = onceFor(({ maxRequestAttempts, maxRunTimeoutMs }: Ceilings) =>
  z.object({
    maxAttempts: upTo(maxRequestAttempts, 'MAX_REQUEST_ATTEMPTS').optional(),
    timeoutMs: upTo(maxRunTimeoutMs, 'MAX_RUN_TIMEOUT_MS').optional(),
    onInterruption: z.enum(interruptionPolicies).optional(),
  }),
);
export const seqPath = z.object({
  seq: z
    .string()
    .regex(/^[1-9]\d{0,14}$/, 'must be a positive whole number')
    .meta({ type: 'integer', minimum: 1, maximum: 999_999_999_999_999 }),
});
const waitRange = 'must be a number of seconds from 0 to 20, with at most 3 decimals';
export const waitQuery = z.object({
  wait: z
    .string()
    .regex(/^\d{1,2}(\.\d{1,3})?$/, waitRange)
    .transform(Number)
    .pipe(z.number().max(20, waitRange))
    .default(0)
    .meta({ type: 'number', minimum: 0, maximum: 20, multipleOf: 0.001, description: 'How many seconds to wait.' }),
});
export const requestQuery = waitQuery.extend({
  include: z.literal('request').optional().meta({ description: 'With what was asked for, as `request`.' }),
});
const pageRange = 'must be a whole number from 1 to 100';
export const pageLimit = z
  .string()
  .regex(/^\d{1,3}$/, pageRange)
  .transform(Number)
  .pipe(z.number().min(1, pageRange).max(100, pageRange))
  .default(50)
  .meta({ type: 'integer', minimum: 1, maximum: 100, description: 'The most items on the page.' });
export const pageQuery = z.object({
  status: z.enum(requestStatuses).optional().meta({ description: 'Only requests with this status.' }),
  after: z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .default(0)
    .meta({
      ...{ type: 'integer', minimum: 0, maximum: 999_999_999_999_999 },
      description: 'Only requests with a higher `seq`: the `next` of the page before.',
    }),
  limit: pageLimit,
});
export const pendingBody = z.object({
  pending: z
    .enum(['drain', 'cancel'])
    .default('drain')
    .meta({ description: 'What happens to waiting requests when the last session ends.' }),
});
export const idempotencyKey = z
  .string()
  .regex(/^[\x20-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters')
  // Repeated headers are joined with commas.
  .regex(/^[^,]*$/, 'must be given once, and have no comma')
  .optional();

/** More would make the answer to a small HTTP body large. */
const maxListedErrors = 20;

/** @throws {InvalidRequestError} 400. The message lists the first validation errors, says how many more there are, and shows no value. */
export const validate = <T>(schema: z.ZodType<T>, value: unknown, what: string): T => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const listed = issues
    .slice(0, maxListedErrors)
    .map(({ path, message }) => `${[what, ...path].join('.')}: ${message}`)
    .join('; ');
  const left = issues.length - maxListedErrors;
  throw new InvalidRequestError(left > 0 ? `${listed}; and ${left} more` : listed);
};

export const newCredentialsOf = (call: Call) => validate(newCredentials, call.json, 'body');
/** The caller's IP address, as API Gateway or our gateway saw it. */
export const addressOf = (call: Call): string => call.requestContext.http.sourceIp;
export const credentialsOf = (call: Call) => validate(credentials, call.json, 'body');
export const seqOf = (call: Call): number => Number(validate(seqPath, call.pathParameters, 'path').seq);
export const waitMsOf = (call: Call): number =>
  validate(waitQuery, call.queryStringParameters ?? {}, 'query').wait * 1_000;

/** Whether the caller wants to see what was asked for. @throws {InvalidRequestError} */
export const includesRequest = (call: Call): boolean =>
  validate(requestQuery, call.queryStringParameters ?? {}, 'query').include === 'request';
export const pageOf = (call: Call) => validate(pageQuery, call.queryStringParameters ?? {}, 'query');
export const pendingOf = (call: Call) => validate(pendingBody, call.json, 'body').pending;

/** What the requests of a call are read from. */
export type EnqueueCall = Pick<Call, 'deps' | 'text' | 'json' | 'headers' | 'traceparent'>;

/**
 * The request as unchanged JSON text, the limits that it sets for its own runs, the Idempotency-Key, and the trace of the call.
 *
 * @throws {InvalidRequestError} 400; {RequestTooLargeError} 413
 */
export const enqueueOf = (call: EnqueueCall): NewRequest => {
  const limits = validate(runLimits(call.deps.config), call.json, 'body');
  const body = memberText(call.text, 'request');
  if (body === undefined) throw new InvalidRequestError('body.request: is required; it may be any JSON value');
  if (Buffer.byteLength(body) > maxRequestBytes) throw new RequestTooLargeError('The request', maxRequestBytes);
  const key = validate(idempotencyKey, call.headers['idempotency-key'], 'Idempotency-Key');
  const { traceparent } = call;
  return { body, key, limits: Object.keys(limits).length > 0 ? limits : undefined, traceparent };
};
