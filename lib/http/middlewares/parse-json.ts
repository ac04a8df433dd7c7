import type { Call, Middleware } from '../call.ts';
import { InvalidRequestError, RequestTooLargeError, UnsupportedCharsetError } from '../errors.ts';
import { depthOf, maxDepth } from '../json-text.ts';

/** With `optional`, an empty HTTP body counts as `{}`. */
export type JsonRules = { maxBytes: number; optional?: boolean };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The size of the HTTP body as it was sent. */
export const bodyBytes = ({ body, isBase64Encoded }: Pick<Call, 'body' | 'isBase64Encoded'>): number =>
  Buffer.byteLength(body ?? '', isBase64Encoded ? 'base64' : 'utf8');

const readText = ({ body, isBase64Encoded }: Call, maxBytes: number): string => {
  if (bodyBytes({ body, isBase64Encoded }) > maxBytes) throw new RequestTooLargeError('The body', maxBytes);
  if (!body || !isBase64Encoded) return body ?? '';
  try {
    return utf8.decode(Buffer.from(body, 'base64'));
  } catch {
    throw new InvalidRequestError('The body must be UTF-8.', 'invalid-json');
  }
};

/** JSON is UTF-8 (RFC 8259). */
const checkCharset = ({ headers }: Call): void => {
  const [, charset = 'utf-8'] = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(headers['content-type'] ?? '') ?? [];
  if (!/^(utf-?8|us-ascii)$/i.test(charset)) throw new UnsupportedCharsetError();
};

/** @throws {InvalidRequestError} 400 */
export const parseText = (text: string, what = 'body'): unknown => {
  if (depthOf(text) > maxDepth)
    throw new InvalidRequestError(`The ${what} may nest at most ${maxDepth} levels deep.`, 'invalid-json');
  try {
    return JSON.parse(text);
  } catch {
    // The parser's error is dropped: its message quotes the body, which may hold a password.
    throw new InvalidRequestError(`The ${what} must be JSON.`, 'invalid-json');
  }
};

/**
 * Parses the HTTP body as JSON, whatever its Content-Type. Middy's own parser is not used, because it puts the raw body into
 * the error that it throws.
 *
 * @throws {RequestTooLargeError} 413; {InvalidRequestError} 400; {UnsupportedCharsetError} 415
 */
export const parseJson = ({ maxBytes, optional = false }: JsonRules): Middleware => ({
  before: ({ event }) => {
    checkCharset(event);
    // A reader may ignore a byte order mark (RFC 8259), and some clients send one.
    const text = readText(event, maxBytes).replace(/^\uFEFF/, '');
    event.text = optional && text.trim() === '' ? '{}' : text;
    event.json = parseText(event.text);
  },
});
