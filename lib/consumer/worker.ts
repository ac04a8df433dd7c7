import { createLifecycle } from '../cluster/lifecycle.ts';
import { exitCodes } from '../cluster/messages.ts';
import { linkToPrimary, type PrimaryLink } from '../cluster/primary-link.ts';
import type { Config } from '../config.ts';
import { ConfigError } from '../config.ts';
import type { WorkerSnapshot } from '../lanes/snapshot.ts';
import type { Logger } from '../log.ts';
import type { Clock } from '../ports.ts';
import { ProcessorLoadError } from '../runs/load-processor.ts';
import { toRunError } from '../runs/run-error.ts';
import { reportEveryMs } from '../runs/supervision.ts';
import { createWorkerMetrics, type WorkerObservers } from './metrics.ts';

/** What a worker runs. */
export type WorkerTask = {
  /** Hands everything over and closes what the task opened, within `graceMs`. */
  stop(): Promise<void>;
  snapshot(): WorkerSnapshot;
  /** Resolves with the error when the task cannot go on. Never rejects. */
  readonly failed: Promise<unknown>;
  /** Resolves when the process must be replaced: only its end ends a run in it. Never rejects. */
  readonly mustRetire: Promise<void>;
  /** Hands everything over and interrupts nothing. Resolves when the process may exit. */
  retire(): Promise<void>;
  /** The process of another worker has exited. */
  noteGone(workerId: string): Promise<void>;
};

type WorkerOptions = { config: Config; clock: Clock; log: Logger; env: NodeJS.ProcessEnv };

/** What a task gets to start with. `env` is for the processes that it starts. */
export type StartDeps = WorkerOptions & WorkerObservers;
export type StartTask = (deps: StartDeps) => Promise<WorkerTask>;

/** Returns whether the shutdown was clean: everything handed over, and the final report sent. */
const stopCleanly = async (task: WorkerTask | undefined, link: PrimaryLink, log: Logger): Promise<boolean> => {
  try {
    // Without a task no lane is owned yet: what is being opened ends with the process.
    await task?.stop();
    await link.sendFinalReport();
    return true;
  } catch (err) {
    log.error({ err }, 'unclean shutdown');
    return false;
  }
};

/** Configuration errors do not go away by a restart. */
const exitCodeOf = (error: unknown): number =>
  error instanceof ProcessorLoadError || error instanceof ConfigError ? exitCodes.nonRestartable : exitCodes.failed;

/**
 * The life of one worker process. It starts its task and reports to its primary. It stops at the first SIGTERM or SIGINT, when the
 * primary has exited, and when its task fails; the primary decides about further signals. Ends the process.
 */
export const runWorker = async (options: WorkerOptions & { startTask: StartTask }): Promise<void> => {
  const { config, clock, log, env, startTask } = options;
  let task: WorkerTask | undefined;
  let mustRetire = false;
  const { registry, ...observers } = createWorkerMetrics({ clock, log, snapshot: () => task?.snapshot() });
  const life = createLifecycle((to) => log.info({ state: to }, `worker ${to}`));

  const stop = async (reason: string, finalState: 'stopped' | 'failed' = 'stopped') => {
    if (life.state === 'draining') return;
    log.info({ reason }, 'stopping');
    life.become('draining');
    link.report();
    life.become((await stopCleanly(task, link, log)) ? finalState : 'failed');
    process.exit(life.state === 'stopped' ? exitCodes.stopped : exitCodes.failed);
  };
  const fail = (err: unknown) => {
    log.fatal({ err }, `the worker failed: ${toRunError(err).message}`);
    void stop('the task failed', 'failed');
  };

  const retire = async () => {
    log.warn('worker retires: a run that an operator ended ignores its signal; it ends with this process');
    await task?.retire();
    await link.sendFinalReport();
    if (life.state === 'running') process.exit(exitCodes.stopped);
  };

  const link = linkToPrimary({
    everyMs: reportEveryMs(config.workerHangMs),
    registry,
    report: () => ({ state: life.state, snapshot: task?.snapshot(), mustRetire }),
    primaryGone: () => void stop('the primary has exited'),
    replaced: () => void retire().catch(fail),
    workerGone: (workerId) =>
      void task?.noteGone(workerId).catch((err) => log.error({ err }, 'could not note that a worker is gone')),
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));

  try {
    const started = await startTask({ config, clock, log, env, ...observers });
    if (life.state !== 'starting') return;
    task = started;
    life.become('running');
    link.report();
    void task.failed.then(fail);
    void task.mustRetire.then(() => {
      mustRetire = true;
      link.report();
    });
  } catch (err) {
    log.fatal({ err }, `the worker could not start: ${toRunError(err).message}`);
    process.exit(exitCodeOf(err));
  }
};
