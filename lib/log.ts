import pino from 'pino';
import { clip, isError, partsOf, propertyOf } from './thrown.ts';

/** Writes one JSON object per line. Never log a body, a token or a password. */
export type Logger = pino.Logger;

/** Fields that must never appear in a log, at the top or one level down. A safety net: no code should log them. */
const secrets = ['password', 'token', 'authorization', 'headers', 'body', 'request', 'passwordHash', 'secret'];

const deepestCause = 5;
/** The parts of an `AggregateError` that are logged: so many, and of errors that are nested no deeper. */
const maxParts = 10;
const deepestWithParts = 1;

/** Of a message and of a stack. */
const maxTextLength = 10_000;

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? clip(value, maxTextLength) : undefined;

/**
 * Picks the fields that say what happened, because drivers attach whole documents and messages to their errors. A processor may have
 * thrown it, so nothing about it is certain: a getter may throw, and a proxy may be revoked.
 */
const errorFields = (error: unknown, depth = 0): unknown => {
  if (!isError(error)) return { type: typeof error };
  const code = propertyOf(error, 'code');
  const cause = propertyOf(error, 'cause');
  const isLast = cause === undefined || depth >= deepestCause;
  const parts = depth <= deepestWithParts ? partsOf(error, maxParts) : [];
  const errors = parts.map((part) => errorFields(part, depth + 1));
  return {
    type: textOf(propertyOf(error, 'name')),
    message: textOf(propertyOf(error, 'message')),
    code: typeof code === 'number' ? code : textOf(code),
    stack: textOf(propertyOf(error, 'stack')),
    cause: isLast ? undefined : errorFields(cause, depth + 1),
    errors: errors.length > 0 ? errors : undefined,
  };
};

/** Several processes may write to one pipe, which keeps the bytes of a write together only up to this many (`PIPE_BUF`). */
const maxWriteBytes = 4_096;

/**
 * Writes the lines of each turn of the event loop to stdout in one system call: one for each line costs more than the line. Only a process
 * that is killed in the middle of a turn loses the lines of this turn.
 */
export const outputByTurn = (): pino.DestinationStream & { flushSync(): void } => {
  const output = pino.destination({ dest: 1, sync: true, maxWrite: maxWriteBytes, minLength: maxWriteBytes - 1 });
  let isDue = false;
  const flushSync = (): void => {
    isDue = false;
    output.flushSync();
  };
  process.on('exit', flushSync);
  return {
    write: (line) => {
      output.write(line);
      if (isDue) return;
      isDue = true;
      setImmediate(flushSync);
    },
    flushSync,
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
