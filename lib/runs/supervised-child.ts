/** One child process under supervision: whether it still reports, why it was killed, and how it ended. */
import type { ChildProcess } from 'node:child_process';
import type { Clock } from '../ports.ts';
import { classifySilence, reportEveryMs, type SilenceVerdict, silenceAfter } from './supervision.ts';

type Silent = Exclude<SilenceVerdict, 'alive'>;

export type SupervisionOptions = {
  /** A child that is up, and does not report for this long, is hung. */
  workerHangMs: number;
  /** How long it may take to come up, whether it reports meanwhile or not. */
  startTimeoutMs: number;
  clock: Pick<Clock, 'after'>;
  /** The child is about to be killed because it is silent. */
  onSilent?: (verdict: Silent, silentMs: number) => void;
};

/** How a child ended; both are null when there never was a process, and `error` says why. */
export type ChildExit = { code: number | null; signal: NodeJS.Signals | null; error?: Error };

/** @typeParam Reason why the owner may kill the child, besides silence. */
export class SupervisedChild<Reason extends string = never> {
  /** Resolves when the child has exited, or could not be spawned. */
  readonly exited: Promise<ChildExit>;
  /** Resolves when every message of the child has been heard: the last one may come after the exit. */
  readonly disconnected: Promise<void>;
  readonly #child: ChildProcess;
  readonly #options: SupervisionOptions;
  #silentMs = 0;
  #heardOnce = false;
  #isUp = false;
  #killedFor: Silent | Reason | undefined;
  #lastCheck = performance.now();
  #cancelCheck = () => {};

  constructor(child: ChildProcess, options: SupervisionOptions) {
    this.#child = child;
    this.#options = options;
    const exit = Promise.withResolvers<ChildExit>();
    const disconnect = Promise.withResolvers<void>();
    child.once('exit', (code, signal) => exit.resolve({ code, signal }));
    child.once('disconnect', disconnect.resolve);
    child.on('error', (error) => {
      // A child that was spawned exits after a broken channel. One that was not never exits.
      if (child.pid !== undefined) return;
      exit.resolve({ code: null, signal: null, error });
      disconnect.resolve();
    });
    this.exited = exit.promise;
    this.disconnected = disconnect.promise;
    void this.exited.then(() => this.#cancelCheck());
    this.#check();
  }

  get heardOnce(): boolean {
    return this.#heardOnce;
  }

  get killedFor(): Silent | Reason | undefined {
    return this.#killedFor;
  }

  /** Call it for every message that shows that the child's event loop turns. */
  heard(): void {
    if (this.#isUp) this.#silentMs = 0;
    this.#heardOnce = true;
  }

  /** Its modules are loaded. Only now does silence mean that it hangs: importing a module may block its event loop for long. */
  cameUp(): void {
    this.#isUp = true;
    this.heard();
  }

  /** Sends SIGKILL. The first reason stays. */
  kill(reason: Silent | Reason): void {
    this.#killedFor ??= reason;
    this.#child.kill('SIGKILL');
  }

  #check(): void {
    const { workerHangMs, startTimeoutMs, clock, onSilent } = this.#options;
    const now = performance.now();
    this.#silentMs = silenceAfter(this.#silentMs, now - this.#lastCheck, workerHangMs);
    this.#lastCheck = now;
    const verdict = classifySilence({ silentMs: this.#silentMs, isUp: this.#isUp, workerHangMs, startTimeoutMs });
    if (verdict === 'alive') {
      this.#cancelCheck = clock.after(reportEveryMs(workerHangMs), () => this.#check());
      return;
    }
    if (this.#killedFor) return;
    onSilent?.(verdict, this.#silentMs);
    this.kill(verdict);
  }
}
