/** A server's outage in the log: one warning, a reminder now and then while it lasts, one line when it is over. */
import type { Logger } from './log.ts';

export type Outages = {
  /** What was asked for could not be had. */
  failed(error: unknown): void;
  /** Call it before asking, and what it returns when the answer is there: that ends an outage which had begun by then. */
  asking(): () => void;
};

/** Often enough to be found in the last lines of a log, seldom enough not to fill it. */
const remindAfterMs = 60_000;

/** From a URL on everything is left out: it may hold a password, which may hold blanks. */
const withoutUrls = (text: string): string => text.replace(/[\w+.-]*:\/\/.*/gs, '[URL]');

/** A name with several addresses fails with an error for each, and says nothing itself. */
const messageOf = (error: unknown): string => {
  if (error instanceof AggregateError && !error.message) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
};

export const watchOutages = (
  log: Pick<Logger, 'warn' | 'info'>,
  texts: { away: string; back: string },
  fields: Record<string, unknown> = {},
  now: () => number = Date.now,
): Outages => {
  let outage: { since: number; toldAt: number } | undefined;
  let failures = 0;

  return {
    failed(error) {
      failures += 1;
      const at = now();
      if (outage && at - outage.toldAt < remindAfterMs) return;
      outage = { since: outage?.since ?? at, toldAt: at };
      log.warn({ ...fields, reason: withoutUrls(messageOf(error)) }, texts.away);
    },
    asking() {
      const failuresBefore = failures;
      return () => {
        if (!outage || failures > failuresBefore) return;
        log.info({ ...fields, seconds: Math.round((now() - outage.since) / 1_000) }, texts.back);
        outage = undefined;
      };
    },
  };
};
