/** The input of a call that enqueues several requests. */
import { z } from 'zod';
import { maxRequestBytes, maxRequestsPerCall } from '../limits.ts';
import { onceFor } from '../once-for.ts';
import type { NewRequest } from '../requests/operations.ts';
import { InvalidRequestError, RequestTooLargeError } from './errors.ts';
import { type EnqueueCall, idempotencyKey, runLimits, validate } from './input.ts';
import { elementTexts, memberText } from './json-text.ts';

const listRange = `must have 1 to ${maxRequestsPerCall} items`;

const ofOneRequest = z.never('belongs into an item of requests').optional();

/** zod looks at no item of a list that is too long: an HTTP body has room for 139,000 items that are wrong. */
export const listOf = <T extends z.ZodType>(item: T) =>
  z.array(item).min(1, listRange).max(maxRequestsPerCall, listRange);

export const batch = onceFor((ceilings: Parameters<typeof runLimits>[0]) =>
  z.object({
    requests: listOf(runLimits(ceilings).extend({ key: idempotencyKey })),
    request: ofOneRequest,
    maxAttempts: ofOneRequest,
    timeoutMs: ofOneRequest,
    onInterruption: ofOneRequest,
  }),
);

/**
 * Two requests with one key are one request, which nobody means who sends both.
 *
 * @param what the name of the list.
 * @throws {InvalidRequestError} 400
 */
export const checkKeysDiffer = (requests: { key?: string }[], what: string): void => {
  const seen = new Map<string, number>();
  for (const [index, { key }] of requests.entries()) {
    if (key === undefined) continue;
    const first = seen.get(key);
    if (first !== undefined)
      throw new InvalidRequestError(
        `${what}.${index}.key: is that of ${what}.${first} too; send each key once in a call`,
      );
    seen.set(key, index);
  }
};

const bodyIn = (item: string | undefined, what: string): string => {
  const body = item === undefined ? undefined : memberText(item, 'request');
  if (body === undefined) throw new InvalidRequestError(`${what}.request: is required; it may be any JSON value`);
  if (Buffer.byteLength(body) > maxRequestBytes) throw new RequestTooLargeError(`${what}.request`, maxRequestBytes);
  return body;
};

/**
 * The requests of a call with `requests`, in their order; `undefined` for a call with one `request`.
 *
 * @throws {InvalidRequestError} 400; {RequestTooLargeError} 413; both name the item by its index
 */
export const batchOf = (call: EnqueueCall): NewRequest[] | undefined => {
  // A call with one request must not pay for another look through its text.
  if (!Object.hasOwn(Object(call.json), 'requests')) return undefined;
  if (call.headers['idempotency-key'] !== undefined)
    throw new InvalidRequestError('Idempotency-Key: with requests, each item has its own key');
  const { requests } = validate(batch(call.deps.config), call.json, 'body');
  checkKeysDiffer(requests, 'body.requests');
  const items = elementTexts(memberText(call.text, 'requests') as string);
  return requests.map(({ key, ...limits }, index) => ({
    body: bodyIn(items[index], `body.requests.${index}`),
    key,
    limits: Object.keys(limits).length > 0 ? limits : undefined,
    traceparent: call.traceparent,
  }));
};
