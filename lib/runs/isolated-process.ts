/** A process for isolated runs, as its worker sees it. */
import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config.ts';
import { fileBeside } from '../file-beside.ts';
import type { Clock } from '../ports.ts';
import type { Outcome } from '../types.ts';
import type { IsolatedEnd, KillReason } from './crash.ts';
import { type IsolationOrder, isIsolationReport, type PlainRun, workerPipe } from './isolation-messages.ts';
import { toRunError } from './run-error.ts';
import { SupervisedChild } from './supervised-child.ts';

const script = fileURLToPath(fileBeside(import.meta.url, 'isolated-run'));

export type ProcessEnd = Omit<IsolatedEnd, 'begun' | 'outcome' | 'suspects'>;

/** User code may use the same channel. */
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

/** One run in the process. */
export type OrderedRun = { outcome: Promise<Outcome>; abort(ended: boolean): void };

export type IsolatedProcess = {
  /** Resolves when it can be given runs. */
  ready: Promise<void>;
  /** Resolves when it has ended, and its last message has been heard. */
  gone: Promise<ProcessEnd>;
  isGone(): boolean;
  run(run: PlainRun): OrderedRun;
  /** Asks it to end. */
  end(): void;
  kill(reason: KillReason): void;
};

export type ProcessDeps = {
  config: Pick<Config, 'workerHangMs' | 'startTimeoutMs'>;
  clock: Clock;
  observer: { rejected(count: number): void };
  /** The environment of the process; it names the processor to load. */
  env: NodeJS.ProcessEnv;
  /** Gets each line of its stdout. Without it the process prints where this one prints. */
  output?: (line: string) => void;
};

/** @throws {Error} when the system cannot start another process. */
export const startProcess = ({ config, clock, observer, env, output }: ProcessDeps): IsolatedProcess => {
  const child = fork(script, { env, stdio: ['ignore', output ? 'pipe' : 'inherit', 'inherit', 'ipc', 'pipe'] });
  if (output && child.stdout) createInterface({ input: child.stdout }).on('line', output);
  const supervised = new SupervisedChild<KillReason>(child, { ...config, clock });
  const ready = Promise.withResolvers<void>();
  const outcomes = new Map<number, (outcome: Outcome) => void>();
  let runs = 0;
  let uncaught: ProcessEnd['error'];
  let isGone = false;

  child.stdio[workerPipe]?.on('error', () => {});
  child.on('message', (report: unknown) => {
    if (!isIsolationReport(report)) return;
    supervised.heard();
    if (report.lanekeeper === 'ready') {
      supervised.cameUp();
      ready.resolve();
    }
    if (report.lanekeeper === 'uncaught') uncaught = report.error;
    if (isCount(report.rejections)) observer.rejected(report.rejections);
    if (report.lanekeeper !== 'outcome') return;
    outcomes.get(report.id)?.(report.outcome);
    outcomes.delete(report.id);
  });
  const gone = Promise.all([supervised.exited, supervised.disconnected]).then(([{ code, signal, error }]) => {
    isGone = true;
    return { code, signal, killedFor: supervised.killedFor, error: error ? toRunError(error) : uncaught };
  });
  const order = (message: IsolationOrder) => {
    // The exit follows a broken channel.
    if (child.connected) child.send(message, () => {});
  };

  return {
    ready: ready.promise,
    gone,
    isGone: () => isGone || supervised.killedFor !== undefined,
    run: (run) => {
      runs += 1;
      const id = runs;
      const outcome = new Promise<Outcome>((resolve) => outcomes.set(id, resolve));
      order({ lanekeeper: 'run', id, run });
      return { outcome, abort: (ended) => order({ lanekeeper: 'abort', id, ended }) };
    },
    end: () => order({ lanekeeper: 'end' }),
    kill: (reason) => supervised.kill(reason),
  };
};
