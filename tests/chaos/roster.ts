/** What a container's log says of its workers: who lives, and what befell them that nobody else writes down. */

import type { Recorder } from '../system/recorder.ts';
import type { LogLine } from './child.ts';

/** What the broker ends a channel with that asks for a queue that is not there. */
const notFound = 404;
/** A consumer that was on its way when its queue was deleted may be held up for as long as a connection is frozen. */
const underWayMs = 10_000;

type RosterOptions = {
  /** The container's. */
  name: string;
  record: Recorder;
  /** When somebody deleted which user queues. */
  deletedAt: ReadonlyMap<string, number>;
  now: () => number;
};

export const createRoster = ({ name, record, deletedAt, now }: RosterOptions) => {
  const pids = new Set<number>();
  let running = 0;
  let hung = 0;

  const deletionBehind = ({ msg, err }: LogLine): number | undefined => {
    if (!msg?.startsWith('lane lost') || err?.code !== notFound) return undefined;
    const [, at] = [...deletedAt].find(([queue]) => err.message?.includes(`'${queue}'`)) ?? [];
    return at !== undefined && now() - at <= underWayMs ? at : undefined;
  };

  const hear = (line: LogLine): void => {
    const { msg, pid, workerPid = 0, verdict } = line;
    // A user queue that somebody deletes between its declaration and its consumer takes the lane's channel with it.
    const at = deletionBehind(line);
    if (at !== undefined)
      record({ kind: 'fault', fault: 'connection-cut', target: `${name}/${pid}`, at, until: now() });
    if (msg === 'worker started') pids.add(workerPid);
    if (msg === 'worker exited') pids.delete(workerPid);
    if (msg === 'worker running') running += 1;
    if (msg !== 'killing an unresponsive worker') return;
    hung += 1;
    const kind = verdict === 'hung' ? 'worker-hung' : 'worker-killed';
    record({ kind: 'fault', fault: kind, target: `${name}/${workerPid}`, at: now() });
  };

  return { hear, pids: () => [...pids], hasRun: (count: number) => running >= count, hung: () => hung };
};
