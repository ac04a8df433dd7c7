/** Workers that are slow at the worst moment, as on a machine that pauses them: what makes a stale owner seen on real servers. */
import { setTimeout as pause } from 'node:timers/promises';
import type { WorkerServers } from '../../lib/deps.ts';
import type { LaneBroker, LaneEvents } from '../../lib/ports.ts';

/** `SLOW_LOAD_MS`: every other load of a lane, by chance, begins so much later than its lease was taken. */
const slowLoad = (userQueues: WorkerServers['userQueues'], ms: number): WorkerServers['userQueues'] => ({
  ...userQueues,
  async *notClosed(lane) {
    if (Math.random() < 0.5) await pause(ms);
    yield* userQueues.notClosed(lane);
  },
});

/** `LATE_NOTICE_MS`: so much later than its channel is gone a worker learns of it. */
const lateNotice = (laneBroker: LaneBroker, ms: number): LaneBroker => ({
  ...laneBroker,
  openLane(lane, events) {
    const late: LaneEvents = { ...events, closed: (cause) => void setTimeout(() => events.closed(cause), ms) };
    return laneBroker.openLane(lane, late);
  },
});

/** Without these variables, the same servers. */
export const makeSluggish = (servers: WorkerServers, env: NodeJS.ProcessEnv): WorkerServers => ({
  ...servers,
  userQueues: env.SLOW_LOAD_MS ? slowLoad(servers.userQueues, Number(env.SLOW_LOAD_MS)) : servers.userQueues,
  laneBroker: env.LATE_NOTICE_MS ? lateNotice(servers.laneBroker, Number(env.LATE_NOTICE_MS)) : servers.laneBroker,
});
