/** Isolated runs of the fatal processor, in real processes. */
import { systemClock } from '../../../lib/clock.ts';
import { createLogger } from '../../../lib/log.ts';
import type { ProcessorPolicy } from '../../../lib/processor.ts';
import { createIsolation, type IsolationDeps } from '../../../lib/runs/isolation.ts';
import type { Run } from '../../../lib/types.ts';
import { testPolicy } from './policy.ts';
import { runsSupportFile } from './support-file.ts';

export type TestIsolation = {
  run(request: unknown, more?: Partial<Run>): ReturnType<ReturnType<typeof createIsolation>['run']>;
  /** What was observed: `1` a start, `-1` an end, `-2` a crash, `0` an unhandled rejection. */
  observed: number[];
};

export const workerHangMs = 600;

export const isolate = (
  config: Partial<IsolationDeps['config']> = {},
  policy: ProcessorPolicy = {},
  env: Record<string, string> = {},
): TestIsolation => {
  const observed: number[] = [];
  const isolation = createIsolation({
    config: {
      maxCrashes: 3,
      workerHangMs,
      startTimeoutMs: 60_000,
      graceMs: 300,
      concurrency: 64,
      isolatedProcesses: 4,
      isolatedRunTimeoutMs: 60_000,
      ...config,
    },
    clock: { ...systemClock, random: () => 0 },
    log: createLogger('silent'),
    observer: {
      started: () => observed.push(1),
      ended: (crashed) => observed.push(crashed ? -2 : -1),
      rejected: (count) => observed.push(...Array<number>(count).fill(0)),
    },
    policy: { ...testPolicy, maxAttempts: 9, ...policy },
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      NODE_OPTIONS: '--max-old-space-size=64',
      PROCESSOR: runsSupportFile('processors/fatal.ts'),
      WORKER_HANG_MS: String(workerHangMs),
      ...env,
    },
  });
  return {
    observed,
    run: (request, more = {}) =>
      isolation.run({
        userId: 'u1',
        user: 'ada',
        seq: 4,
        body: JSON.stringify(request),
        attempt: 3,
        fencingToken: 9,
        limits: {},
        forgiven: 0,
        interruptions: 2,
        signal: new AbortController().signal,
        ...more,
      }),
  };
};
