/** Rejected promises that a processor does not await. They are a fault of one user's run, and not of the process. */
import type { Config } from '../config.ts';
import type { Logger } from '../log.ts';
import type { Clock } from '../ports.ts';
import type { CurrentRuns } from './current-runs.ts';
import { createLineLimit } from './line-limit.ts';
import { forLog } from './run-error.ts';

type RejectionDeps = {
  config: Pick<Config, 'unhandledRejection'>;
  clock: Pick<Clock, 'monotonicMs'>;
  log: Pick<Logger, 'error'>;
  runs: CurrentRuns;
  /** Called for each, also for those that are not logged. */
  counted: () => void;
};

/** Runs that a line names. */
const maxNamed = 20;
/** A loop may leave thousands of rejections. All are of one kind. */
const limit = { ofKind: 10, ofAll: 10 };

/** Unless the configuration says `exit`, which leaves them to Node.js: it ends the process. */
export const outliveRejections = ({ config, clock, log, runs, counted }: RejectionDeps): void => {
  if (config.unhandledRejection === 'exit') return;
  const hasRoom = createLineLimit(clock, limit);
  let unlogged = 0;

  const logOne = (reason: unknown): void => {
    if (!hasRoom('rejection')) {
      unlogged += 1;
      return;
    }
    const { inFlight, current } = runs;
    log.error(
      {
        err: forLog(reason),
        run: current,
        inFlight: inFlight.slice(0, maxNamed),
        inFlightCount: inFlight.length,
        unlogged,
      },
      'a processor left a rejected promise unhandled; the process goes on',
    );
    unlogged = 0;
  };

  process.on('unhandledRejection', (reason) => {
    counted();
    try {
      logOne(reason);
    } catch {
      // What is thrown here would end the process. It was counted, and the next line says that one is missing.
      unlogged += 1;
    }
  });
};
