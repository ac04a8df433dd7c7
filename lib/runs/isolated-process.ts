/** A process for isolated runs, as its worker sees it: started, watched, and told what to do. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config.ts';
import type { Clock } from '../ports.ts';
import type { Outcome } from '../types.ts';
import type { IsolatedEnd, KillReason } from './crash.ts';
import { type IsolationOrder, isIsolationReport, workerPipe } from './isolation-messages.ts';
import { describeError } from './run.ts';
import { classifySilence, reportEveryMs, silenceAfter } from './supervision.ts';

/** Loading the processor's modules takes a second, and much longer on a busy machine. */
const startTimeoutMs = 20_000;

const script = fileURLToPath(new URL('./isolated-run.ts', import.meta.url));

export type ProcessEnd = Omit<IsolatedEnd, 'begun' | 'outcome'>;

export type IsolatedProcess = {
  /** Resolves when it can be given a run. */
  ready: Promise<void>;
  /** Resolves when it is gone, and everything that it said has been heard. */
  gone: Promise<ProcessEnd>;
  isGone(): boolean;
  order(message: IsolationOrder): void;
  /** The outcome of the run that it is given next. */
  nextOutcome(): Promise<Outcome>;
  kill(reason: KillReason): void;
};

export type ProcessDeps = {
  config: Pick<Config, 'workerHangMs'>;
  clock: Clock;
  /** It loads the processor that this names. */
  env: NodeJS.ProcessEnv;
};

/** Kills a process whose event loop stands still, or that does not come up. */
const watchSilence = ({ config: { workerHangMs }, clock }: ProcessDeps, kill: (reason: KillReason) => void) => {
  let silentMs = 0;
  let heardOnce = false;
  let lastLook = performance.now();
  let cancel = () => {};
  const look = () => {
    const now = performance.now();
    silentMs = silenceAfter(silentMs, now - lastLook, workerHangMs);
    lastLook = now;
    const verdict = classifySilence({ silentMs, heardOnce, workerHangMs, startTimeoutMs });
    if (verdict === 'alive') cancel = clock.after(reportEveryMs(workerHangMs), look);
    else kill(verdict);
  };
  look();
  return {
    heard: () => {
      silentMs = 0;
      heardOnce = true;
    },
    end: () => cancel(),
  };
};

const endOf = (child: ChildProcess): Promise<ProcessEnd> =>
  new Promise((resolve) => {
    const exited = new Promise<ProcessEnd>((tell) => {
      child.once('exit', (code, signal) => tell({ code, signal }));
    });
    // The last message may come after the exit, and is heard before the channel closes.
    const disconnected = new Promise((tell) => child.once('disconnect', tell));
    void Promise.all([exited, disconnected]).then(([end]) => resolve(end));
    // Without a process nothing exits; with one, a channel that breaks is followed by the exit.
    child.on('error', (thrown) => {
      if (child.pid === undefined) resolve({ code: null, signal: null, error: describeError(thrown) });
    });
    child.stdio[workerPipe]?.on('error', () => {});
  });

/** Throws when the system has no room for one more process. */
export const startProcess = (deps: ProcessDeps): IsolatedProcess => {
  const child = fork(script, { env: deps.env, stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'] });
  const ready = Promise.withResolvers<void>();
  let outcome = Promise.withResolvers<Outcome>();
  let isGone = false;
  const why: Pick<ProcessEnd, 'killedFor' | 'error'> = {};

  const kill = (reason: KillReason) => {
    why.killedFor ??= reason;
    child.kill('SIGKILL');
  };
  const silence = watchSilence(deps, kill);
  child.on('message', (report: unknown) => {
    if (!isIsolationReport(report)) return;
    silence.heard();
    if (report.lanekeeper === 'ready') ready.resolve();
    if (report.lanekeeper === 'uncaught') why.error = report.error;
    if (report.lanekeeper === 'outcome') outcome.resolve(report.outcome);
  });
  const gone = endOf(child).then((end) => {
    isGone = true;
    silence.end();
    return { ...end, ...why };
  });

  return {
    ready: ready.promise,
    gone,
    isGone: () => isGone || why.killedFor !== undefined,
    order: (message) => {
      // A channel that breaks is followed by the exit.
      if (child.connected) child.send(message, () => {});
    },
    nextOutcome: () => {
      outcome = Promise.withResolvers();
      return outcome.promise;
    },
    kill,
  };
};
