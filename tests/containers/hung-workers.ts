/** Workers that their own consumer killed because they stood still, as on a very busy machine: only its log shows that. */
import { logMessages } from '../chaos/roster.ts';
import type { HistoryEvent } from '../judge/history.ts';
import { monotonicMs } from '../system/monotonic.ts';

type LogLine = { time: string; msg: string; workerPid: number; verdict: string };

const linesOf = (log: string): LogLine[] =>
  log
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));

/** @param host the container's name in the names of its workers, which have a further part for each start of the container. */
export const hungWorkers = (log: string, host: string, history: HistoryEvent[]): HistoryEvent[] => {
  const startOfClock = Date.now() - monotonicMs();
  return linesOf(log)
    .filter(({ msg }) => msg === logMessages.killingWorker)
    .flatMap(({ time, workerPid, verdict }) => {
      const at = Date.parse(time) - startOfClock;
      const isOfWorker = (event: HistoryEvent) =>
        event.kind === 'started' &&
        event.at <= at &&
        event.worker.startsWith(`${host}-`) &&
        event.worker.endsWith(`/${workerPid}`);
      const last = history.findLast(isOfWorker);
      const fault = verdict === 'hung' ? 'worker-hung' : 'worker-killed';
      return last?.kind === 'started' ? [{ kind: 'fault', fault, at, target: last.worker }] : [];
    });
};
