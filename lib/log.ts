import pino from 'pino';

/** Writes one JSON object per line. Never log a body, a token or a password. */
export type Logger = pino.Logger;

/** Fields that must never appear in a log, at the top or one level down. A safety net: no code should log them. */
const secrets = ['password', 'token', 'authorization', 'headers', 'body', 'request', 'passwordHash', 'secret'];

const deepestCause = 5;
/** The parts of an `AggregateError` that are logged: so many, and of errors that are nested no deeper. */
const maxParts = 10;
const deepestWithParts = 1;

/** Picks the fields that say what happened, because drivers attach whole documents and messages to their errors. */
const errorFields = (error: unknown, depth = 0): unknown => {
  if (!(error instanceof Error)) return { type: typeof error };
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  const isLast = cause === undefined || depth >= deepestCause;
  const parts = error instanceof AggregateError && depth <= deepestWithParts ? error.errors : [];
  const errors = parts.slice(0, maxParts).map((part) => errorFields(part, depth + 1));
  return {
    type: name,
    message,
    code,
    stack,
    cause: isLast ? undefined : errorFields(cause, depth + 1),
    errors: errors.length > 0 ? errors : undefined,
  };
};

export const createLogger = (
  level: string,
  bindings: Record<string, unknown> = {},
  destination: pino.DestinationStream = pino.destination(1),
): Logger =>
  pino(
    {
      level,
      base: bindings,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: secrets.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
      serializers: { err: (error) => errorFields(error) },
    },
    destination,
  );
