/** Does isolated runs one after the other, in one process that is reused while each run ends properly. */
import type { Config } from '../config.ts';
import type { Logger } from '../log.ts';
import type { Run } from '../types.ts';
import { type IsolatedEnd, isCrash, type KillReason } from './crash.ts';
import { type IsolatedProcess, type ProcessDeps, startProcess } from './isolated-process.ts';
import { toRunError } from './run-error.ts';

export type RunnerDeps = ProcessDeps & {
  config: Pick<Config, 'workerHangMs' | 'graceMs'>;
  log: Logger;
};

/** One run in `child`, until its outcome arrives or the process ends. */
const runIn = async (
  child: IsolatedProcess,
  run: Run,
  timeoutMs: number,
  { config, clock }: RunnerDeps,
): Promise<IsolatedEnd> => {
  let begun = false;
  const timers: (() => void)[] = [];
  const killLater = (ms: number, reason: KillReason) => timers.push(clock.after(ms, () => child.kill(reason)));
  const outcome = child.nextOutcome();

  const begin = () => {
    if (run.signal.aborted) return;
    begun = true;
    const { signal: _signal, ...plain } = run;
    child.order({ lanekeeper: 'run', run: plain });
    if (timeoutMs > 0) killLater(timeoutMs + config.graceMs, 'past-deadline');
  };
  const abort = () => {
    if (!begun) return child.kill('aborted');
    child.order({ lanekeeper: 'abort' });
    killLater(config.graceMs, 'aborted');
  };
  run.signal.addEventListener('abort', abort, { once: true });
  void child.ready.then(begin);

  const end = await Promise.race([outcome.then((found) => ({ outcome: found, code: null, signal: null })), child.gone]);
  for (const cancel of timers) cancel();
  run.signal.removeEventListener('abort', abort);
  return { begun, ...end };
};

export class IsolatedRunner {
  readonly #deps: RunnerDeps;
  #child: IsolatedProcess | undefined;

  constructor(deps: RunnerDeps) {
    this.#deps = deps;
  }

  /** Never rejects. */
  async run(run: Run, timeoutMs: number): Promise<IsolatedEnd> {
    if (this.#child?.isGone()) this.close();
    const wasUsed = this.#child !== undefined;
    const end = await this.#runOnce(run, timeoutMs);
    if (!wasUsed || !isCrash(end) || run.signal.aborted) return end;
    // An earlier run may have left something behind, such as a timer or a leak: only a new process can tell which run it was.
    const { userId, seq, attempt } = run;
    this.#deps.log.warn(
      { userId, seq, attempt },
      'a reused process ended during a run; repeating the run in a new one',
    );
    return this.#runOnce(run, timeoutMs);
  }

  /** Ends the process. The next run starts a new one. */
  close(): void {
    this.#child?.order({ lanekeeper: 'end' });
    this.#child = undefined;
  }

  async #runOnce(run: Run, timeoutMs: number): Promise<IsolatedEnd> {
    try {
      this.#child ??= startProcess(this.#deps);
    } catch (thrown) {
      // For example, there is no memory for another process.
      return { begun: false, code: null, signal: null, error: toRunError(thrown) };
    }
    const end = await runIn(this.#child, run, timeoutMs, this.#deps);
    // A run that ignores its abort must not overlap with the next one.
    if (!end.outcome || run.signal.aborted) this.close();
    return end;
  }
}
