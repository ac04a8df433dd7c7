import type { Config } from '../config.ts';
import { ConfigError } from '../config.ts';
import type { WorkerSnapshot } from '../lanes/lane-worker.ts';
import type { Logger } from '../log.ts';
import type { Clock, LaneObserver } from '../ports.ts';
import type { IsolationObserver } from '../runs/isolation.ts';
import { ProcessorLoadError } from '../runs/load-processor.ts';
import { describeError } from '../runs/run.ts';
import { reportEveryMs } from '../runs/supervision.ts';
import { nonRestartableExitCode } from './exit-codes.ts';
import { createLifecycle } from './lifecycle.ts';
import { createWorkerMetrics } from './metrics.ts';
import { linkToPrimary } from './primary-link.ts';

/** What a worker runs. `stop` hands everything over and closes what it opened; it ends within `graceMs`. */
export type WorkerTask = { stop(): Promise<void>; snapshot(): WorkerSnapshot };

type WorkerOptions = {
  config: Pick<Config, 'workerHangMs'>;
  clock: Pick<Clock, 'after'>;
  log: Logger;
  start: (observers: { observer: LaneObserver; isolationObserver: IsolationObserver }) => Promise<WorkerTask>;
};

/**
 * The life of one worker process: it starts its task, reports to its primary, and stops at the first SIGTERM or SIGINT or when
 * the primary is gone. Further signals are the primary's to judge, which kills. Ends the process.
 */
export const runWorker = async ({ config, clock, log, start }: WorkerOptions): Promise<void> => {
  let task: WorkerTask | undefined;
  const { registry, observer, isolationObserver } = createWorkerMetrics({
    clock,
    log,
    snapshot: () => task?.snapshot(),
  });
  const life = createLifecycle((to) => log.info({ state: to }, `worker ${to}`));

  const stop = async (reason: string) => {
    if (life.state === 'draining') return;
    log.info({ reason }, 'stopping');
    life.become('draining');
    link.report();
    try {
      // Without a task nothing has been taken yet: what is being opened ends with the process.
      await task?.stop();
      await link.sendFinalReport();
      life.become('stopped');
    } catch (err) {
      life.become('failed');
      log.error({ err }, 'could not stop in order');
    }
    process.exit(life.state === 'stopped' ? 0 : 1);
  };

  const link = linkToPrimary({
    everyMs: reportEveryMs(config.workerHangMs),
    registry,
    report: () => ({ state: life.state, snapshot: task?.snapshot() }),
    primaryGone: () => void stop('the primary is gone'),
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));

  try {
    const started = await start({ observer, isolationObserver });
    if (life.state !== 'starting') return;
    task = started;
    life.become('running');
    link.report();
  } catch (err) {
    log.fatal({ err }, `the worker could not start: ${describeError(err).message}`);
    process.exit(err instanceof ProcessorLoadError || err instanceof ConfigError ? nonRestartableExitCode : 1);
  }
};
