/** Lines that can repeat for each user, call or message. */
import type { Logger } from './log.ts';

type Level = 'warn' | 'error';
type Repeats = { count: number; fields: Record<string, unknown> };

/** Often enough to be in the last lines of a log, rarely enough not to fill it. */
const summaryMs = 60_000;

const repeatsOf = new WeakMap<object, Map<string, Repeats>>();

/**
 * Logs the first line with this text at once. While more follow, logs one a minute: the latest, with the number of them in `repeats`. The
 * fields of the others are not logged, so the text must say enough without them.
 */
export const logSampled = <L extends Level>(
  log: Pick<Logger, L>,
  level: L,
  fields: Record<string, unknown>,
  text: string,
): void => {
  const known = repeatsOf.get(log) ?? new Map<string, Repeats>();
  repeatsOf.set(log, known);
  const repeats = known.get(text);
  if (repeats) {
    repeats.count += 1;
    repeats.fields = fields;
    return;
  }
  log[level](fields, text);
  const started: Repeats = { count: 0, fields };
  known.set(text, started);
  const timer = setInterval(() => {
    if (started.count > 0) log[level]({ ...started.fields, repeats: started.count, seconds: summaryMs / 1_000 }, text);
    else {
      clearInterval(timer);
      known.delete(text);
    }
    started.count = 0;
  }, summaryMs);
  // A summary must not keep a process that has nothing else to do.
  timer.unref();
};
