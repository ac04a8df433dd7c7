/**
 * W3C trace context (https://www.w3.org/TR/trace-context/): the text that says which trace a call or a run belongs to. Nothing of
 * OpenTelemetry is needed to carry it.
 */
import { randomBytes } from 'node:crypto';

/** The name of the HTTP header and of the header of a message. */
export const traceparentHeader = 'traceparent';

/** A later version may say more behind these fields. Ids of zeros mean nothing, and version ff is forbidden. */
const format = /^(?!ff)([0-9a-f]{2})-((?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Sampled, and random: the flags that have a meaning. */
const knownFlags = 0x03;

/**
 * A `traceparent` of 55 characters in version 00. `undefined`: what arrived is none, or is malformed. A trace then begins here; the call
 * does not fail because of it.
 */
export const readTraceparent = (value: unknown): string | undefined => {
  if (typeof value !== 'string') return undefined;
  const [, version, ids, flags = '', more] = format.exec(value.trim()) ?? [];
  if (!ids || (version === '00' && more !== undefined)) return undefined;
  return `00-${ids}-${(Number.parseInt(flags, 16) & knownFlags).toString(16).padStart(2, '0')}`;
};

/** The id of its trace, for log lines. */
export const traceIdOf = (traceparent: string | undefined): string | undefined => traceparent?.split('-')[1];

/** The first of a new trace, with the same flags: whoever samples the one trace samples the other. */
export const newTraceLike = (traceparent: string): string => {
  const flags = traceparent.slice(-2);
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-${flags}`;
};

/**
 * The trace of one run. The first run continues the trace of the call that enqueued its request. Every other run is a new trace,
 * `linkedTo` that one: traces end, however often a request runs.
 */
export type RunTrace = { traceparent: string; linkedTo?: string };

/** Whether a run is a part of its request's trace, or begins one that is linked to it. `traceparent`: what the ledger says. */
export const originOf = (traceparent: string | undefined, attempt: number): { parent?: string; linkedTo?: string } => {
  if (traceparent === undefined) return {};
  return attempt === 1 ? { parent: traceparent } : { linkedTo: traceparent };
};

/** The trace of a run when no spans are made. */
export const carriedTrace = (traceparent: string | undefined, attempt: number): RunTrace | undefined => {
  const { parent, linkedTo } = originOf(traceparent, attempt);
  if (linkedTo !== undefined) return { traceparent: newTraceLike(linkedTo), linkedTo };
  return parent === undefined ? undefined : { traceparent: parent };
};
