/** The backlog in the log, from which CloudWatch makes metrics. */
import type { Config } from '../config.ts';
import type { Logger } from '../log.ts';
import type { Clock } from '../ports.ts';
import { embeddedGauges } from '../telemetry/embedded-metrics.ts';
import type { Backlog } from './backlog.ts';

/** CloudWatch keeps one value a minute. */
const everyMs = 60_000;

type LogBacklogDeps = { config: Pick<Config, 'emfNamespace'>; clock: Pick<Clock, 'after'>; log: Logger };

/**
 * Writes a line a minute, at any LOG_LEVEL, while the backlog is known: an alarm on missing values finds a consumer that is silent. Does
 * nothing without EMF_NAMESPACE.
 *
 * @returns ends it.
 */
export const logBacklog = (
  { config: { emfNamespace }, clock, log }: LogBacklogDeps,
  backlog: () => Backlog | undefined,
): (() => void) => {
  if (emfNamespace === undefined) return () => undefined;
  const written = log.child({}, { level: 'info' });
  let cancel: () => void = () => undefined;
  const write = (): void => {
    cancel = clock.after(everyMs, write);
    const known = backlog();
    if (!known) return;
    const fields = embeddedGauges(emfNamespace, new Date(), [
      { name: 'PendingRequests', unit: 'Count', value: known.pending },
      { name: 'OldestWaitMs', unit: 'Milliseconds', value: known.oldestWaitMs },
      { name: 'WorkersWanted', unit: 'Count', value: known.workersWanted },
    ]);
    written.info(fields, 'backlog');
  };
  cancel = clock.after(everyMs, write);
  return () => cancel();
};
