/** The built-in processor that hands requests to an HTTP endpoint, signed as https://www.standardwebhooks.com says. */
import { createHmac } from 'node:crypto';
import { UnrecoverableError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import type { Processor, ProcessorContext } from './processor.ts';

/** `secret`: `whsec_` and base64, as Standard Webhooks writes it; any other text is taken byte by byte. */
export type WebhookOptions = { url: string; secret: string; timeoutMs: number };

/** Thrown when a call may be made again: no answer, or one that promises better times. */
export class WebhookError extends Error {
  /** The wait that the endpoint asked for by `Retry-After`. */
  readonly retryAfterMs: number | undefined;
  constructor(message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'WebhookError';
    this.retryAfterMs = options.retryAfterMs;
  }
}

const secretPrefix = 'whsec_';
const minKeyBytes = 16;
const maxAnswerBytes = 262_144;

/** 4xx that pass: timeout, conflict, too early, too many requests. */
const passingStatuses = [408, 409, 425, 429];

export const keyOf = (secret: string): Buffer => {
  const key = secret.startsWith(secretPrefix)
    ? Buffer.from(secret.slice(secretPrefix.length), 'base64')
    : Buffer.from(secret);
  if (key.length < minKeyBytes) {
    throw new Error(`WEBHOOK_SECRET holds ${key.length} bytes of key; at least ${minKeyBytes} are needed`);
  }
  return key;
};

/** The value of `webhook-signature`. `timestamp` is in seconds since the epoch. */
export const sign = (key: Buffer, id: string, timestamp: number, body: string): string =>
  `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;

/** `Retry-After` in ms: seconds, or a date. `undefined` when there is none that makes sense. */
export const retryAfterMs = (header: string | null, now: Date): number | undefined => {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now.getTime();
  return ms > 0 ? ms : undefined;
};

const readAnswer = async (response: Response): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    // The endpoint has done its work: to call it again would only do it twice.
    if (bytes > maxAnswerBytes) throw new UnrecoverableError(`The webhook answered more than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
};

const resultOf = (response: Response, answer: string): unknown => {
  if (answer === '') return null;
  if (!response.headers.get('content-type')?.includes('json')) return answer;
  try {
    return JSON.parse(answer);
  } catch {
    return answer;
  }
};

const refusal = (response: Response, now: Date): Error => {
  const { status } = response;
  if (status >= 300 && status < 400) {
    return new UnrecoverableError(`The webhook answered ${status}; redirects are not followed`);
  }
  const final = status >= 400 && status < 500 && !passingStatuses.includes(status);
  if (final) return new UnrecoverableError(`The webhook refused with ${status}`);
  const asked = retryAfterMs(response.headers.get('retry-after'), now);
  return new WebhookError(`The webhook answered ${status}`, { retryAfterMs: asked });
};

const headersOf = (context: ProcessorContext, id: string, timestamp: number, signature: string) => ({
  'content-type': 'application/json',
  'user-agent': 'lanekeeper',
  'webhook-id': id,
  'webhook-timestamp': String(timestamp),
  'webhook-signature': signature,
  'lanekeeper-user-id': context.userId,
  'lanekeeper-seq': String(context.seq),
  'lanekeeper-attempt': String(context.attempt),
  'lanekeeper-fencing-token': String(context.fencingToken),
});

/**
 * POSTs `{ userId, seq, attempt, fencingToken, request }`: the headers say the same for routers, but only the body is signed.
 * `webhook-id` is `<userId>:<seq>`, the same in every attempt. 2xx: the answer is the result. 3xx and most of 4xx: failed at once.
 *
 * @throws when the secret is too short.
 */
export const createWebhookProcessor = (options: WebhookOptions, clock: Pick<Clock, 'now' | 'after'>): Processor => {
  const key = keyOf(options.secret);

  const post = async (request: unknown, context: ProcessorContext, signal: AbortSignal): Promise<unknown> => {
    const { userId, seq, attempt, fencingToken } = context;
    const id = `${userId}:${seq}`;
    const timestamp = Math.floor(clock.now().getTime() / 1_000);
    const body = JSON.stringify({ userId, seq, attempt, fencingToken, request });
    const headers = headersOf(context, id, timestamp, sign(key, id, timestamp, body));
    const response = await fetch(options.url, { method: 'POST', headers, body, signal, redirect: 'manual' });
    if (response.ok) return resultOf(response, await readAnswer(response));
    await response.body?.cancel();
    throw refusal(response, clock.now());
  };

  return async (request, context) => {
    const deadline = new AbortController();
    const cancelDeadline = clock.after(options.timeoutMs, () => deadline.abort());
    try {
      return await post(request, context, AbortSignal.any([context.signal, deadline.signal]));
    } catch (cause) {
      if (cause instanceof UnrecoverableError || cause instanceof WebhookError || context.signal.aborted) throw cause;
      if (deadline.signal.aborted)
        throw new WebhookError(`The webhook gave no answer in ${options.timeoutMs} ms`, { cause });
      throw new WebhookError('The webhook could not be reached', { cause });
    } finally {
      cancelDeadline();
    }
  };
};
