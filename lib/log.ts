import pino from 'pino';

/** Structured, one JSON object a line. Never hand it a body, a token or a password. */
export type Logger = pino.Logger;

/** The fields that must never appear in a log, wherever they stand. A last net: nothing should hand them over. */
const secrets = ['password', 'token', 'authorization', 'headers', 'body', 'request', 'passwordHash', 'secret'];

export const createLogger = (level: string, bindings: Record<string, unknown> = {}): Logger =>
  pino({
    level,
    base: bindings,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: secrets.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
    serializers: { err: pino.stdSerializers.err },
  });
