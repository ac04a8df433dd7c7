/** Reads in a container's log which workers are alive, and records the faults that only the log shows. */

import type { Recorder } from '../system/recorder.ts';
import type { LogLine } from './child.ts';

/** The code with which RabbitMQ closes a channel that uses a queue that does not exist. */
const notFound = 404;
/** How long after its deletion a queue may still be used, because the call was delayed by a frozen connection. */
const inTransitMs = 10_000;

/**
 * The log lines of the product that the roster reads. A test checks that lib still contains them; `worker running`
 * comes from a template, but no chaos run starts without it.
 */
export const logMessages = {
  workerStarted: 'worker started',
  workerEnded: 'worker exited',
  workerRunning: 'worker running',
  killingWorker: 'killing an unresponsive worker',
  laneLost: 'lane lost',
} as const;

type RosterOptions = {
  /** The name of the container. */
  name: string;
  record: Recorder;
  /** The times at which faults deleted user queues. */
  deletedAt: ReadonlyMap<string, number>;
  now: () => number;
};

export const createRoster = ({ name, record, deletedAt, now }: RosterOptions) => {
  const pids = new Set<number>();
  let running = 0;
  let hung = 0;

  const deletionBehind = ({ msg, err }: LogLine): number | undefined => {
    if (!msg?.startsWith(logMessages.laneLost) || err?.code !== notFound) return undefined;
    const [, at] = [...deletedAt].find(([queue]) => err.message?.includes(`'${queue}'`)) ?? [];
    return at !== undefined && now() - at <= inTransitMs ? at : undefined;
  };

  const onLine = (line: LogLine): void => {
    const { msg, pid, workerPid = 0, verdict } = line;
    // RabbitMQ closes the lane's channel when a fault deletes a user queue between the declaration and the consumer.
    const at = deletionBehind(line);
    if (at !== undefined)
      record({ kind: 'fault', fault: 'connection-cut', target: `${name}/${pid}`, at, until: now() });
    if (msg === logMessages.workerStarted) pids.add(workerPid);
    if (msg === logMessages.workerEnded) pids.delete(workerPid);
    if (msg === logMessages.workerRunning) running += 1;
    if (msg !== logMessages.killingWorker) return;
    hung += 1;
    const kind = verdict === 'hung' ? 'worker-hung' : 'worker-killed';
    record({ kind: 'fault', fault: kind, target: `${name}/${workerPid}`, at: now() });
  };

  return { onLine, pids: () => [...pids], hasRun: (count: number) => running >= count, hung: () => hung };
};
