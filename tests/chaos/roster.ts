/** Reads in a container's log which workers are alive, and records the faults that only the log shows. */

import type { Recorder } from '../system/recorder.ts';
import type { LogLine } from './child.ts';

/**
 * The log lines of the product that the roster reads. A test checks that lib still contains them; `worker running`
 * comes from a template, but no chaos run starts without it.
 */
export const logMessages = {
  workerStarted: 'worker started',
  workerEnded: 'worker exited',
  workerRunning: 'worker running',
  killingWorker: 'killing an unresponsive worker',
  laneLost: 'lane lost: ',
} as const;

/** A lane that a worker owned, or was about to own, and did not hand over. */
export type LostLane = { worker: string; lane: number; reason: string };

type RosterOptions = {
  /** The name of the container. */
  name: string;
  record: Recorder;
  now: () => number;
};

export const createRoster = ({ name, record, now }: RosterOptions) => {
  const pids = new Set<number>();
  let running = 0;
  let hung = 0;
  const lost: LostLane[] = [];

  const onLine = ({ msg, pid = 0, workerPid = 0, verdict, lane }: LogLine): void => {
    if (msg === logMessages.workerStarted) pids.add(workerPid);
    if (msg === logMessages.workerEnded) pids.delete(workerPid);
    if (msg === logMessages.workerRunning) running += 1;
    if (msg?.startsWith(logMessages.laneLost)) lost.push({ worker: `${name}/${pid}`, lane: Number(lane), reason: msg });
    if (msg !== logMessages.killingWorker) return;
    hung += 1;
    const kind = verdict === 'hung' ? 'worker-hung' : 'worker-killed';
    record({ kind: 'fault', fault: kind, target: `${name}/${workerPid}`, at: now() });
  };

  return { onLine, pids: () => [...pids], hasRun: (count: number) => running >= count, hung: () => hung, lost };
};
