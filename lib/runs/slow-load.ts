import inspector from 'node:inspector';
import { Worker } from 'node:worker_threads';
import type { Config } from '../config.ts';
import { fileBeside } from '../file-beside.ts';
import type { Logger } from '../log.ts';
import type { LoadWatch } from './load-watch-thread.ts';

/** A warning is due this often, and several times before the start times out. */
const longestPauseMs = 10_000;
const shortestPauseMs = 1_000;
const warningsBeforeTimeout = 10;

type SlowLoadDeps = { config: Pick<Config, 'processor' | 'startTimeoutMs'>; log: Logger };

/**
 * Warns while a processor loads, again and again, and says which module takes long: its worker runs nothing meanwhile.
 */
export const warnWhileLoading = async <T>(load: () => Promise<T>, { config, log }: SlowLoadDeps): Promise<T> => {
  if (!log.isLevelEnabled('warn')) return load();
  const workerData: LoadWatch = {
    fields: { ...log.bindings(), processor: config.processor },
    everyMs: Math.max(shortestPauseMs, Math.min(longestPauseMs, config.startTimeoutMs / warningsBeforeTimeout)),
    mayPause: inspector.url() === undefined,
  };
  // It needs no secret of this process, and none of the modules that the process was told to load.
  const file = fileBeside(import.meta.url, 'load-watch-thread');
  const watch = new Worker(file, { workerData, env: {}, execArgv: [], stdin: false });
  // Without it only the warning is missing.
  watch.on('error', (err) => log.debug({ err }, 'the load of the processor is not watched'));
  try {
    return await load();
  } finally {
    await watch.terminate();
  }
};
