/** The built-in processor that POSTs requests to an HTTP endpoint, signed by Standard Webhooks (https://www.standardwebhooks.com). */
import { createHmac } from 'node:crypto';
import { maxResultBytes } from '../limits.ts';
import type { Clock } from '../ports.ts';
import { type ProcessorContext, UnrecoverableError } from '../processor.ts';
import { traceparentHeader } from '../traceparent.ts';
import type { TextProcessor } from './load-processor.ts';

/**
 * `secret` is `whsec_` and base64, as Standard Webhooks writes it, or several of those with spaces or line breaks between them; any other
 * text is used as its bytes.
 */
export type WebhookOptions = { url: string; secret: string; timeoutMs: number };

/** Thrown when another attempt may succeed: there was no response, or one with a retryable status. */
export class WebhookError extends Error {
  /** Clients may see its message, which is ours. */
  readonly expose = true;
  /** The pause that the endpoint asked for in `Retry-After`. */
  readonly retryAfterMs: number | undefined;
  constructor(message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'WebhookError';
    this.retryAfterMs = options.retryAfterMs;
  }
}

const secretPrefix = 'whsec_';
const minKeyBytes = 16;

/** The 4xx that may pass: timeout, conflict, too early, too many requests. */
const retryableStatuses = [408, 409, 425, 429];

const keyOf = (secret: string): Buffer => {
  const key = secret.startsWith(secretPrefix)
    ? Buffer.from(secret.slice(secretPrefix.length), 'base64')
    : Buffer.from(secret);
  if (key.length < minKeyBytes) {
    throw new Error(`WEBHOOK_SECRET has a key of ${key.length} bytes; it needs at least ${minKeyBytes}`);
  }
  return key;
};

/** Several keys while receivers change from one to the next. @throws {Error} when one is too short. */
export const keysOf = (secret: string): Buffer[] => {
  const parts = secret.trim().split(/\s+/);
  const areKeys = parts.every((part) => part.startsWith(secretPrefix));
  return areKeys ? parts.map(keyOf) : [keyOf(secret)];
};

/** The value of `webhook-signature`: one signature for each key. `timestamp` is in seconds since the epoch. */
export const sign = (keys: Buffer[], id: string, timestamp: number, body: string): string =>
  keys.map((key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`).join(' ');

/** `Retry-After` in ms, from seconds or a date. `undefined` when it is missing, malformed or not in the future. */
export const retryAfterMs = (header: string | null, now: Date): number | undefined => {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now.getTime();
  return ms > 0 ? ms : undefined;
};

/** When the endpoint sent its response, by the endpoint's own clock: a date in `Retry-After` is of that clock too. */
const dateOf = ({ headers }: Response): Date | undefined => {
  const ms = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(ms) ? undefined : new Date(ms);
};

/** A byte order mark is ignored, as in requests. */
const decode = (bytes: Buffer, contentType: string): string => {
  const [, charset = 'utf-8'] = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType) ?? [];
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    throw new UnrecoverableError("The webhook's response is not text in its charset, or not in UTF-8 if it names none");
  }
};

const readBody = async (response: Response): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    // The endpoint has done its work: another call would only repeat it.
    if (bytes > maxResultBytes) {
      throw new UnrecoverableError(`The webhook's response is larger than ${maxResultBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return decode(Buffer.concat(chunks), response.headers.get('content-type') ?? '');
};

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** JSON is passed on as it is. */
const resultOf = (response: Response, body: string): string => {
  if (body === '') return 'null';
  const saysJson = response.headers.get('content-type')?.includes('json');
  return saysJson && isJson(body) ? body.trim() : JSON.stringify(body);
};

const errorOf = (response: Response, now: Date): Error => {
  const { status } = response;
  if (status >= 300 && status < 400) {
    return new UnrecoverableError(`The webhook responded with ${status}; redirects are not followed`);
  }
  const final = status >= 400 && status < 500 && !retryableStatuses.includes(status);
  if (final) return new UnrecoverableError(`The webhook refused the request with ${status}`);
  const asked = retryAfterMs(response.headers.get('retry-after'), dateOf(response) ?? now);
  return new WebhookError(`The webhook responded with ${status}`, { retryAfterMs: asked });
};

const headersOf = (context: ProcessorContext, id: string, timestamp: number, signature: string) => ({
  'content-type': 'application/json',
  'user-agent': 'lanekeeper',
  'webhook-id': id,
  'webhook-timestamp': String(timestamp),
  'webhook-signature': signature,
  'lanekeeper-user-id': context.userId,
  // A header has bytes of Latin-1.
  'lanekeeper-user': encodeURIComponent(context.user),
  'lanekeeper-seq': String(context.seq),
  'lanekeeper-attempt': String(context.attempt),
  'lanekeeper-fencing-token': String(context.fencingToken),
  ...(context.trace && { [traceparentHeader]: context.trace.traceparent }),
});

/**
 * POSTs `{ userId, user, seq, attempt, fencingToken, request }`, with the request's own text. The headers repeat all but the request, for routers, `user` as in a
 * URL; only the body is signed. `webhook-id` is `<userId>:<seq>`, the same in every attempt. After a 2xx the response's body is the result; a 3xx and most
 * 4xx fail the request at once.
 *
 * @throws {Error} when a secret is too short.
 */
export const createWebhookProcessor = (options: WebhookOptions, clock: Pick<Clock, 'now' | 'after'>): TextProcessor => {
  const keys = keysOf(options.secret);

  const post = async (request: string, context: ProcessorContext, signal: AbortSignal): Promise<string> => {
    const { userId, user, seq, attempt, fencingToken } = context;
    const id = `${userId}:${seq}`;
    const timestamp = Math.floor(clock.now().getTime() / 1_000);
    const body = `${JSON.stringify({ userId, user, seq, attempt, fencingToken }).slice(0, -1)},"request":${request}}`;
    const headers = headersOf(context, id, timestamp, sign(keys, id, timestamp, body));
    const response = await fetch(options.url, { method: 'POST', headers, body, signal, redirect: 'manual' });
    if (response.ok) return resultOf(response, await readBody(response));
    await response.body?.cancel();
    throw errorOf(response, clock.now());
  };

  return async (request, context) => {
    const deadline = new AbortController();
    const cancelDeadline = clock.after(options.timeoutMs, () => deadline.abort());
    try {
      return await post(request, context, AbortSignal.any([context.signal, deadline.signal]));
    } catch (cause) {
      if (cause instanceof UnrecoverableError || cause instanceof WebhookError || context.signal.aborted) throw cause;
      if (deadline.signal.aborted) {
        throw new WebhookError(`The webhook did not respond within ${options.timeoutMs} ms`, { cause });
      }
      throw new WebhookError('The webhook could not be reached', { cause });
    } finally {
      cancelDeadline();
    }
  };
};
