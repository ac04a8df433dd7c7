/** Runs that may end their process get one of their own, so that nothing else is hit, and nothing else is blamed. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config.ts';
import { createSlots, type Slots } from '../lanes/slots.ts';
import type { Logger } from '../log.ts';
import type { Clock, RunRequest } from '../ports.ts';
import type { Run } from '../types.ts';
import { type IsolatedEnd, isCrash, type KillReason, outcomeOfEnd } from './crash.ts';
import { type IsolationOrder, isIsolationReport, workerPipe } from './isolation-messages.ts';
import { policyOfRun, type RunPolicy } from './policy.ts';
import { describeError } from './run.ts';
import { judgeSilence, reportEveryMs, silenceAfter } from './supervision.ts';

/** A worker's isolated runs at a time: each is a whole process, and they are few; the others wait. */
const isolatedAtOnce = 2;
/** Loading the processor's modules takes a second, and much longer on a busy machine. */
const startTimeoutMs = 20_000;

const script = fileURLToPath(new URL('./isolated-run.ts', import.meta.url));

/** What isolated runs tell of themselves, for the metrics. */
export type IsolationObserver = { started(): void; ended(crashed: boolean): void };

export type IsolationDeps = {
  config: Pick<Config, 'maxCrashes' | 'workerHangMs' | 'graceMs'>;
  clock: Clock;
  log: Logger;
  observer: IsolationObserver;
  /** The processor's policy, as this process has loaded it. */
  policy: RunPolicy;
  /** The isolated run loads the same processor from it. */
  env: NodeJS.ProcessEnv;
};

/** Resolves to whether a slot is held: not when the signal aborted first. */
const acquire = (slots: Slots, signal: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => {
    const leave = () => resolve(false);
    if (signal.aborted) {
      leave();
      return;
    }
    signal.addEventListener('abort', leave, { once: true });
    slots.acquire(() => {
      signal.removeEventListener('abort', leave);
      resolve(!signal.aborted);
      return !signal.aborted;
    });
  });

const order = (child: ChildProcess, message: IsolationOrder): void => {
  // A channel that breaks is followed by the exit.
  if (child.connected) child.send(message, () => {});
};

/** Kills a process whose event loop stands still, or that does not come up. */
const watchSilence = (
  { workerHangMs }: IsolationDeps['config'],
  clock: Clock,
  kill: (reason: 'hung' | 'never-came-up') => void,
) => {
  let silentMs = 0;
  let heardOnce = false;
  let lastLook = performance.now();
  let cancel = () => {};
  const look = () => {
    const now = performance.now();
    silentMs = silenceAfter(silentMs, now - lastLook, workerHangMs);
    lastLook = now;
    const verdict = judgeSilence({ silentMs, heardOnce, workerHangMs, startTimeoutMs });
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

type ProcessEnd = Pick<IsolatedEnd, 'code' | 'signal' | 'error'>;

/** Resolves when the process is gone, and everything that it said has been heard. */
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

const startChild = (env: NodeJS.ProcessEnv): ChildProcess =>
  fork(script, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'] });

/** One run in `child`, from the hand-over to the end of the process. */
const runIn = async (
  child: ChildProcess,
  run: Run,
  timeoutMs: number,
  { config, clock }: IsolationDeps,
): Promise<IsolatedEnd> => {
  const end: Omit<IsolatedEnd, 'code' | 'signal'> = { begun: false };
  const timers: (() => void)[] = [];
  const kill = (reason: KillReason) => {
    end.killedFor ??= reason;
    child.kill('SIGKILL');
  };
  const killLater = (ms: number, reason: KillReason) => timers.push(clock.after(ms, () => kill(reason)));
  const silence = watchSilence(config, clock, kill);

  const begin = () => {
    if (run.signal.aborted) return;
    end.begun = true;
    const { signal: _signal, ...plain } = run;
    order(child, { lanekeeper: 'run', run: plain });
    if (timeoutMs > 0) killLater(timeoutMs + config.graceMs, 'overdue');
  };
  const abort = () => {
    if (!end.begun) return kill('aborted');
    order(child, { lanekeeper: 'abort' });
    killLater(config.graceMs, 'aborted');
  };
  run.signal.addEventListener('abort', abort, { once: true });
  if (run.signal.aborted) abort();
  child.on('message', (report: unknown) => {
    if (!isIsolationReport(report)) return;
    silence.heard();
    if (report.lanekeeper === 'ready') begin();
    if (report.lanekeeper === 'uncaught') end.error = report.error;
    if (report.lanekeeper === 'outcome') end.outcome = report.outcome;
  });

  const processEnd = await endOf(child);
  silence.end();
  for (const cancel of timers) cancel();
  run.signal.removeEventListener('abort', abort);
  return { ...processEnd, ...end };
};

const notWanted: IsolatedEnd = { begun: false, killedFor: 'aborted', code: null, signal: null };

/** Does a run in a process of its own, a few at a time. Never rejects. */
export const createIsolation = (deps: IsolationDeps): RunRequest => {
  const { clock, observer, log } = deps;
  const slots = createSlots(isolatedAtOnce);

  const runAlone = async (run: Run, timeoutMs: number): Promise<IsolatedEnd> => {
    try {
      return await runIn(startChild(deps.env), run, timeoutMs, deps);
    } catch (thrown) {
      // No memory for one more process, for example.
      return { begun: false, code: null, signal: null, error: describeError(thrown) };
    }
  };

  const observe = (run: Run, end: IsolatedEnd): void => {
    const crashed = isCrash(end) && !run.signal.aborted;
    observer.ended(crashed);
    if (end.outcome || run.signal.aborted) return;
    const { userId, seq, attempt, interruptions } = run;
    const { begun, code, signal, killedFor } = end;
    const about = { userId, seq, attempt, interruptions, begun, code, signal, killedFor };
    log.error(about, crashed ? 'a run ended its process' : 'an isolated run could not be started');
  };

  return async (run) => {
    const policy = policyOfRun(deps.policy, run.limits);
    const outcomeOf = (end: IsolatedEnd) =>
      outcomeOfEnd(end, run, { ...policy, maxCrashes: deps.config.maxCrashes }, clock.random());
    if (!(await acquire(slots, run.signal))) return outcomeOf(notWanted);
    observer.started();
    const end = await runAlone(run, policy.timeoutMs);
    slots.release();
    observe(run, end);
    return outcomeOf(end);
  };
};
