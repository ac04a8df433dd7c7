/** A server's outage in the log: one warning, a reminder once a minute while it lasts, and one line when it is over. */
import type { Logger } from './log.ts';

export type Outages = {
  /** How many calls have failed so far. Read it before a call, and pass it to `succeeded`. */
  failures(): number;
  /** A call failed because the server cannot be used: an outage begins, or continues. */
  failed(error: unknown): void;
  /**
   * A call succeeded: the outage is over. With `failuresBefore`, not if another call has failed since that count: the answer to
   * a call that was sent before the outage does not end it.
   */
  succeeded(failuresBefore?: number): void;
};

/** Often enough to be in the last lines of a log, rarely enough not to fill it. */
const remindAfterMs = 60_000;

/** Cuts the text at the first URL: the URL may contain a password, and the password may contain blanks. */
const withoutUrls = (text: string): string => text.replace(/[\w+.-]*:\/\/.*/gs, '[URL]');

/** A host name with several addresses fails with one error for each address, and has no message itself. */
const messageOf = (error: unknown): string => {
  if (error instanceof AggregateError && !error.message) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
};

export const watchOutages = (
  log: Pick<Logger, 'warn' | 'info'>,
  texts: { away: string; back: string },
  fields: Record<string, unknown> = {},
  now: () => number = () => performance.now(),
): Outages => {
  let outage: { since: number; loggedAt: number } | undefined;
  let failures = 0;

  return {
    failures: () => failures,
    failed(error) {
      failures += 1;
      const at = now();
      if (outage && at - outage.loggedAt < remindAfterMs) return;
      outage = { since: outage?.since ?? at, loggedAt: at };
      log.warn({ ...fields, reason: withoutUrls(messageOf(error)) }, texts.away);
    },
    succeeded(failuresBefore = failures) {
      if (!outage || failures > failuresBefore) return;
      log.info({ ...fields, seconds: Math.round((now() - outage.since) / 1_000) }, texts.back);
      outage = undefined;
    },
  };
};

/** Logs failures of one kind at `warn`: each reason when it is new, and once a minute while it repeats. */
export const warnSeldom = (
  log: Pick<Logger, 'warn'>,
  text: string,
  fields: Record<string, unknown> = {},
  now: () => number = () => performance.now(),
): ((error: Error) => void) => {
  let last: { reason: string; at: number } | undefined;
  return (error) => {
    const at = now();
    if (last?.reason === error.message && at - last.at < remindAfterMs) return;
    last = { reason: error.message, at };
    log.warn({ err: error, ...fields }, text);
  };
};
