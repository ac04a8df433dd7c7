/** The production worker on in-memory servers, with a clock that stands still. */
import { type LaneWorker, startLaneWorker } from '../lanes/lane-worker.ts';
import { createLogger } from '../log.ts';
import type { LaneObserver } from '../ports.ts';
import type { Processor, ProcessorLogger, ProcessorPolicy } from '../processor.ts';
import type { AcceptDeps } from '../requests/accept.ts';
import { createPlanRun } from '../runs/plan.ts';
import { createRunRequest } from '../runs/run.ts';
import type { FakeClock } from './fake-clock.ts';
import { createMemoryBroker } from './memory-broker.ts';
import { createMemoryStores, type MemoryDatabase } from './memory-stores.ts';
import { defaultConfig, policyInTest } from './policy-in-test.ts';
import { RunsInProgress } from './runs-in-progress.ts';

export type TestWorkerOptions = {
  policy: ProcessorPolicy | undefined;
  concurrency: number;
  logger: ProcessorLogger;
  clock: FakeClock;
  observer: Pick<LaneObserver, 'runStarted' | 'runEnded'>;
};

export type TestWorker = {
  worker: LaneWorker;
  deps: AcceptDeps;
  database: MemoryDatabase;
  inProgress: RunsInProgress;
  /** Takes the lane away from the worker, which aborts its runs and acquires the lane again. */
  interrupt(): void;
};

const ignored = (): void => undefined;

/** Seldom, as nothing is lost in memory: days of fake time shall pass soon. */
const periods = { flushMs: 10_000, sweepMs: 60_000, balanceMs: 60_000 };

export const startTestWorker = (processor: Processor, options: TestWorkerOptions): TestWorker => {
  const { clock, concurrency, logger, observer } = options;
  const log = createLogger('silent');
  const policy = policyInTest(options.policy);
  const connection = createMemoryBroker().connect();
  const { database, ...stores } = createMemoryStores();
  const inProgress = new RunsInProgress();
  const withLogger: Processor = (request, context) => processor(request, { ...context, logger });
  const config = { ...defaultConfig, ...periods, lanes: 1, concurrency };
  const deps = { ...stores, publisher: connection.publisher, clock, log, config };
  const worker = startLaneWorker({
    ...deps,
    laneBroker: connection.laneBroker,
    planRun: createPlanRun(policy, config),
    runRequest: inProgress.watch(createRunRequest({ processor: withLogger, policy }, { clock, log })),
    observer: {
      laneTaken: ignored,
      laneReleased: ignored,
      runUnresponsive: ignored,
      runAskedToEnd: ignored,
      settled: ignored,
      deadLettered: ignored,
      swept: ignored,
      ...observer,
    },
  });
  return { worker, deps, database, inProgress, interrupt: () => connection.sever() };
};
