/**
 * The log line of a call. Each call has one, whether a function answered it or the gateway refused it. The line never holds a
 * body, a header, a query or a path that the client made up: each of them may hold a secret.
 */
import type { Logger } from '../log.ts';
import { onceFor } from '../once-for.ts';
import { embeddedCall } from '../telemetry/embedded-metrics.ts';

export type LoggedCall = {
  method: string | undefined;
  /** See `loggablePath`. */
  path: string | undefined;
  status: number | undefined;
  /** By `performance.now()`. */
  startedAt: number;
  /** The route that the call took, as in infra/functions.yml: `GET /requests/{seq}`. */
  route?: string;
  /** Who made the call; of a call with an API key, whose requests it is about. */
  userId?: string;
  /** The request that the call is about; the last one, of several that it enqueued. */
  seq?: number;
  /** The id of the call's trace. */
  trace?: string;
  /** Whose requests an operator's call is about. */
  about?: string;
  /** The id of the API key of the call. */
  key?: string;
  /** The caller's IP address, of a call without a user and without a key. */
  address?: string;
  /** The code of the error that the client received. */
  code?: string;
};

/** Without the search for secrets in each field, which costs more than the rest of the line: `LoggedCall` has none. */
const unsearched = onceFor((log: Logger) => log.child({}, { redact: [] }));

/** Written at any LOG_LEVEL: metrics are made from it. */
const measured = onceFor((log: Logger) => log.child({}, { redact: [], level: 'info' }));

/** @param emfNamespace with it, CloudWatch makes metrics from the line. */
export const writeCallLine = (
  log: Logger,
  { method, path, status, startedAt, ...known }: LoggedCall,
  emfNamespace?: string,
): void => {
  const ms = Math.round(performance.now() - startedAt);
  const fields = { method, path, status, ms, ...known };
  if (emfNamespace === undefined) unsearched(log).info(fields, 'http');
  else {
    const metrics = embeddedCall(emfNamespace, { at: new Date(), ms, status, code: known.code });
    measured(log).info({ ...fields, ...metrics }, 'http');
  }
};

const isParameter = (segment: string): boolean => /^\{\w+\}$/.test(segment);

/**
 * The path of a call, if it matches `template`, such as `/requests/{seq}`. A value of a parameter is shown when it is a
 * number, and else as `*`.
 */
export const loggablePath = (template: string, path: string): string | undefined => {
  const values = path.split('/');
  const segments = template.split('/');
  if (values.length !== segments.length) return undefined;
  if (segments.some((segment, index) => !isParameter(segment) && segment !== values[index])) return undefined;
  return values
    .map((value, index) => (isParameter(segments[index] ?? '') && !/^\d{1,15}$/.test(value) ? '*' : value))
    .join('/');
};
