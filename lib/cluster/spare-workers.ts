/** Processes that have loaded their program and wait: with one of them, a worker runs a second sooner. */
import cluster, { type Worker } from 'node:cluster';
import type { Logger } from '../log.ts';
import type { Clock } from '../ports.ts';
import { isPrimaryMessage, type PrimaryMessage } from './messages.ts';

/** In the environment of a process that must wait. */
const variable = 'LANEKEEPER_SPARE';

/** Workers that have just come up need the machine more. */
const settleMs = 1_000;

type SpareOptions = {
  count: number;
  clock: Pick<Clock, 'after'>;
  log: Logger;
  fork: (env?: Record<string, string>) => Worker;
};

export type SpareWorkers = {
  /** Starts the processes that are missing, a moment later. */
  replenish(): void;
  /** A process that begins to work now: a spare one, or a new one when there is none. */
  take(): Worker;
  /** Ends the processes that wait, and starts no more. */
  end(): void;
};

/** Keeps up to `count` processes waiting. None starts before the first call of `replenish`. */
export const createSpareWorkers = ({ count, clock, log, fork }: SpareOptions): SpareWorkers => {
  const waiting = new Set<Worker>();
  let cancel = () => {};
  const start = () => {
    while (waiting.size < count) {
      const spare = fork({ [variable]: '1' });
      waiting.add(spare);
      log.info({ workerPid: spare.process.pid }, 'spare worker started');
      spare.once('exit', () => waiting.delete(spare));
      // A process that could not be spawned has no exit.
      spare.once('error', () => waiting.delete(spare));
    }
  };
  return {
    replenish: () => {
      cancel();
      cancel = clock.after(settleMs, start);
    },
    take: () => {
      const spare = [...waiting].find((worker) => worker.isConnected());
      if (!spare) return fork();
      waiting.delete(spare);
      spare.send({ kind: 'begin' } satisfies PrimaryMessage, () => {});
      return spare;
    },
    end: () => {
      cancel();
      for (const spare of waiting) spare.process.kill('SIGTERM');
      waiting.clear();
    },
  };
};

/** For the program of a worker, once it is loaded. Resolves when this process is to work: at once, unless it is a spare one. */
export const untilNeeded = async (env: NodeJS.ProcessEnv): Promise<void> => {
  if (cluster.isPrimary || !env[variable]) return;
  // Processors and their processes must not take themselves for spare ones.
  delete env[variable];
  const { promise, resolve } = Promise.withResolvers<void>();
  const hear = (message: unknown) => {
    if (isPrimaryMessage(message) && message.kind === 'begin') resolve();
  };
  process.on('message', hear);
  await promise;
  process.off('message', hear);
};
