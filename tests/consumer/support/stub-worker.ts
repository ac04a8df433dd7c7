/**
 * A worker with a stub task. SIGUSR2 hangs its event loop; `TEST_STOP_MS` is how long its stop takes, `TEST_OLDEST_RUN_MS` how long its
 * oldest run has lasted. It cannot start while there is a file `TEST_BROKEN`, as when the code of the processor is broken.
 */
import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { systemClock } from '../../../lib/clock.ts';
import { ConfigError, loadConfig } from '../../../lib/config.ts';
import { runWorker } from '../../../lib/consumer/worker.ts';
import { createLogger } from '../../../lib/log.ts';

const config = loadConfig(process.env, 'consumer');
const log = createLogger('info', { role: 'worker', pid: process.pid });
const stopMs = Number(process.env.TEST_STOP_MS ?? 0);

process.on('SIGUSR2', () => {
  for (;;);
});

await runWorker({
  config,
  clock: systemClock,
  log,
  env: process.env,
  startTask: async ({ observer }) => {
    if (existsSync(process.env.TEST_BROKEN ?? '')) throw new ConfigError(['the code is broken'], 'options');
    // Keeps the process alive, as connections do.
    const keepAlive = setInterval(() => {}, 60_000);
    const at = new Date(10_000);
    const run = { userId: 'u', user: 'ada', seq: 1, attempt: 1, fencingToken: 3 };
    observer.laneTaken({ lane: 0, fencingToken: 3, users: 1, at });
    observer.runStarted({ ...run, acceptedAt: new Date(9_700), at });
    observer.runEnded({ ...run, outcome: 'done', at: new Date(10_030) });
    observer.settled({ userId: 'u', seq: 1, fencingToken: 3, status: 'done', acceptedAt: new Date(9_700), at });
    return {
      failed: new Promise(() => {}),
      mustRetire: new Promise(() => {}),
      retire: async () => undefined,
      noteGone: async () => undefined,
      snapshot: () => ({
        workerId: 'w',
        lanesOwned: 2,
        usersLoaded: 3,
        inFlight: 1,
        oldestRunMs: Number(process.env.TEST_OLDEST_RUN_MS ?? 0),
        unresponsiveRuns: 0,
        oldestPendingAgeMs: process.pid,
        stuckUsers: 1,
        refusedQueues: 0,
        queuesBeyondCap: 0,
        heldBytes: 0,
        pendingRequests: 7,
        deadLetters: 2,
        statisticsAgeMs: 4_500,
        oldestWaitMs: 3_500,
        workersWanted: 5,
        mongodbUp: true,
        rabbitmqUp: false,
        lanesWithoutOwner: [],
      }),
      stop: async () => {
        await setTimeout(stopMs);
        clearInterval(keepAlive);
        log.info('the task has stopped');
      },
    };
  },
});
