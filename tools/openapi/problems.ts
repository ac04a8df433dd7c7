/** The problems that calls answer with: every stable code, with its status. A test compares them with docs/http-api.md. */

export const problems = {
  'invalid-reference': 400,
  'invalid-request': 400,
  'weak-password': 400,
  'invalid-json': 400,
  'missing-token': 401,
  'invalid-token': 401,
  'invalid-key': 401,
  'expired-token': 401,
  'session-ended': 401,
  'invalid-credentials': 401,
  'not-an-operator': 403,
  'insufficient-scope': 403,
  'key-required': 403,
  'key-not-accepted': 403,
  'registration-closed': 403,
  'invalid-invite': 403,
  'no-such-user': 404,
  'request-not-found': 404,
  'not-found': 404,
  'method-not-allowed': 405,
  'ambiguous-user': 409,
  'username-taken': 409,
  'not-cancellable': 409,
  'not-retryable': 409,
  'not-blocked': 409,
  'not-running': 409,
  'request-too-large': 413,
  'unsupported-charset': 415,
  'unsupported-encoding': 415,
  'idempotency-key-reused': 422,
  'too-many-calls': 429,
  'login-delayed': 429,
  'key-rate-exceeded': 429,
  'too-many-pending': 429,
  'enqueue-rate-exceeded': 429,
  'too-many-polls': 429,
  'too-many-streams': 429,
  'internal-error': 500,
  'bad-event': 500,
  'bad-config': 500,
  busy: 503,
  draining: 503,
  'not-recorded-in-time': 503,
  'not-migrated': 503,
  'store-unavailable': 503,
  'secret-unavailable': 503,
  'broker-unavailable': 503,
} as const;

/** When a call answers with each code: the last column of the table in docs/http-api.md, as plain text. */
export const problemTexts = (page: string): Record<string, string> =>
  Object.fromEntries(
    [...page.matchAll(/^\| `([a-z-]+)` \| \d+ \| (.+) \|$/gm)].map(([, code = '', when = '']) => {
      const text = when.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1');
      return [code, `${text.charAt(0).toUpperCase()}${text.slice(1)}.`];
    }),
  );

export type ProblemCode = keyof typeof problems;

/** No call answers with these: the first two stand in results of a call, the third in the log, the others in answers on a WebSocket. */
export const neverAnswered = [
  ...['earlier-refused', 'not-a-dead-letter', 'caller-gone'],
  ...['origin-not-allowed', 'read-only-connection', 'connection-ended', 'too-many-connections', 'no-events'],
];

/** What any call may answer with. */
export const ofAnyCall: ProblemCode[] = [
  ...(['invalid-request', 'not-found', 'method-not-allowed', 'internal-error', 'bad-event', 'bad-config'] as const),
  ...(['draining', 'busy', 'store-unavailable', 'not-migrated', 'secret-unavailable', 'broker-unavailable'] as const),
];

/** What a call with a body may answer with in addition. */
export const ofBodies: ProblemCode[] = [
  'invalid-json',
  'request-too-large',
  'unsupported-charset',
  'unsupported-encoding',
];

/** What a call with a token or a key may answer with in addition. */
export const ofTokens: ProblemCode[] = [
  'missing-token',
  'invalid-token',
  'expired-token',
  'session-ended',
  'invalid-key',
];

/** What a call that takes an API key may answer with in addition. */
export const ofKeys: ProblemCode[] = ['insufficient-scope', 'key-rate-exceeded'];
