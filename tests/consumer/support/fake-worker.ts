/** A worker process as the primary sees it. The test decides what it reports and when it exits. */
import type { Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import type { LifecycleState } from '../../../lib/cluster/lifecycle.ts';
import type { PrimaryMessage } from '../../../lib/cluster/messages.ts';

export class FakeWorker extends EventEmitter {
  readonly heard: PrimaryMessage[] = [];
  readonly signals: string[] = [];
  readonly process: EventEmitter & { pid: number; kill(signal: string): boolean };

  constructor(pid: number) {
    super();
    const kill = (signal: string) => this.signals.push(signal) > 0;
    this.process = Object.assign(new EventEmitter(), { pid, kill });
  }

  /** As `nodeCluster.fork()` returns it. */
  get asWorker(): Worker {
    return this as unknown as Worker;
  }

  isConnected(): boolean {
    return true;
  }

  send(message: PrimaryMessage): void {
    this.heard.push(message);
  }

  report(state: LifecycleState, { mustRetire = false } = {}): void {
    this.emit('message', { kind: 'report', state, mustRetire });
  }

  exit(code: number | null, signal: NodeJS.Signals | null = null): void {
    this.process.emit('exit', code, signal);
    this.process.emit('disconnect');
  }
}
