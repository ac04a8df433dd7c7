/** The program of an isolated process: it does the runs that its worker orders. Started and ended by lib/runs/isolated-process.ts. */
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { systemClock as clock } from '../clock.ts';
import { loadConfig } from '../config.ts';
import { createLogger } from '../log.ts';
import { RunEndedError } from '../run-ended.ts';
import { hideSecrets } from '../secrets.ts';
import { CurrentRuns } from './current-runs.ts';
import { type IsolationReport, isIsolationOrder, type PlainRun, workerPipe } from './isolation-messages.ts';
import { loadProcessor } from './load-processor.ts';
import { createRunRequest } from './run.ts';
import { toRunError } from './run-error.ts';
import { warnWhileLoading } from './slow-load.ts';
import { reportEveryMs } from './supervision.ts';
import { outliveRejections } from './unhandled-rejections.ts';

/** A run must not outlive its worker, since another worker repeats it. A thread notices even while the event loop here hangs. */
const endWithWorker = (): void => {
  const watch = `
    const { Socket } = require('node:net');
    new Socket({ fd: ${workerPipe} }).on('error', () => {}).on('close', () => process.kill(process.pid, 'SIGKILL')).resume();
  `;
  new Worker(watch, { eval: true, stdin: false }).unref();
};

let rejections = 0;

const send = (report: IsolationReport): Promise<void> =>
  new Promise((resolve) => {
    const sent = rejections > 0 ? { ...report, rejections } : report;
    rejections = 0;
    if (process.connected) process.send?.(sent, undefined, undefined, () => resolve());
    else resolve();
  });

const countRejection = (): void => {
  rejections += 1;
};

endWithWorker();
// The worker decides when this process ends: Ctrl-C in a terminal signals every process.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => {});
process.on('uncaughtExceptionMonitor', (thrown) => void send({ lanekeeper: 'uncaught', error: toRunError(thrown) }));

const config = loadConfig(process.env, 'consumer');
hideSecrets(process.env);
const log = createLogger(config.logLevel, { role: 'isolated-run', pid: process.pid });
const runs = new CurrentRuns();
outliveRejections({ config, clock, log, runs, counted: countRejection });
const loaded = await warnWhileLoading(() => loadProcessor({ config, clock }), { config, log });
const runRequest = createRunRequest(loaded, { clock, log, runs });
const running = new Map<number, AbortController>();

const doRun = async (id: number, run: PlainRun): Promise<void> => {
  const abort = new AbortController();
  running.set(id, abort);
  const outcome = await runRequest({ ...run, signal: abort.signal });
  running.delete(id);
  await send({ lanekeeper: 'outcome', id, outcome });
};

process.on('message', (order) => {
  if (!isIsolationOrder(order)) return;
  if (order.lanekeeper === 'run') void doRun(order.id, order.run);
  if (order.lanekeeper === 'abort') running.get(order.id)?.abort(order.ended ? new RunEndedError() : undefined);
  if (order.lanekeeper === 'end') void send({ lanekeeper: 'alive' }).then(() => process.exit(0));
});
setInterval(() => void send({ lanekeeper: 'alive' }), reportEveryMs(config.workerHangMs));
await send({ lanekeeper: 'ready' });
