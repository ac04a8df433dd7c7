import pino from 'pino';

/** Structured, one JSON object a line. Never hand it a body, a token or a password. */
export type Logger = pino.Logger;

/** The fields that must never appear in a log, wherever they stand. A last net: nothing should hand them over. */
const secrets = ['password', 'token', 'authorization', 'headers', 'body', 'request', 'passwordHash', 'secret'];

const deepestCause = 5;

/** Only what says what happened: drivers hang whole documents and messages on their errors. */
const describeError = (error: unknown, depth = 0): unknown => {
  if (!(error instanceof Error)) return { type: typeof error };
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  const because = cause === undefined || depth === deepestCause ? undefined : describeError(cause, depth + 1);
  return { type: name, message, code, stack, cause: because };
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
      serializers: { err: (error) => describeError(error) },
    },
    destination,
  );
