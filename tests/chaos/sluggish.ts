/**
 * Workers that are slow at the worst moment, as on a machine that pauses them. This reveals stale owners on real
 * servers.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { WorkerServers } from '../../lib/deps.ts';
import type { LaneBroker, LaneEvents } from '../../lib/ports.ts';

/** `SLOW_LOAD_MS`: half of the lane loads, chosen at random, start this long after the lease was taken. */
const slowLoad = (userQueues: WorkerServers['userQueues'], ms: number): WorkerServers['userQueues'] => ({
  ...userQueues,
  async *notClosed(lane) {
    if (Math.random() < 0.5) await pause(ms);
    yield* userQueues.notClosed(lane);
  },
});

/** `LATE_NOTICE_MS`: a worker learns this much later that its channel was closed. */
const lateNotice = (laneBroker: LaneBroker, ms: number): LaneBroker => ({
  ...laneBroker,
  openLane(lane, events) {
    const late: LaneEvents = { ...events, closed: (cause) => void setTimeout(() => events.closed(cause), ms) };
    return laneBroker.openLane(lane, late);
  },
});

/** Without these variables, returns the servers unchanged. */
export const makeSluggish = (servers: WorkerServers, env: NodeJS.ProcessEnv): WorkerServers => ({
  ...servers,
  userQueues: env.SLOW_LOAD_MS ? slowLoad(servers.userQueues, Number(env.SLOW_LOAD_MS)) : servers.userQueues,
  laneBroker: env.LATE_NOTICE_MS ? lateNotice(servers.laneBroker, Number(env.LATE_NOTICE_MS)) : servers.laneBroker,
});
