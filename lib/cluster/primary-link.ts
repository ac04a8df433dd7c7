import cluster from 'node:cluster';
import type { Registry } from 'prom-client';
import type { WorkerSnapshot } from '../lanes/snapshot.ts';
import type { LifecycleState } from './lifecycle.ts';
import { isPrimaryMessage, type WorkerMessage } from './messages.ts';

export type PrimaryLink = {
  /** Reports now, besides the regular reports. */
  report(): void;
  /** Sends the last metrics and ends the regular reports. Never rejects. */
  sendFinalReport(): Promise<void>;
};

type LinkOptions = {
  everyMs: number;
  registry: Registry;
  report: () => { state: LifecycleState; snapshot?: WorkerSnapshot; mustRetire?: boolean };
  /** Called once, when the primary has exited. */
  primaryGone: () => void;
  /** Another worker has taken the place of this one, which must retire. */
  replaced: () => void;
  /** The process of this other worker has exited. */
  workerGone: (workerId: string) => void;
};

/** A worker's end of the channel to its primary: the heartbeat, which only a turning event loop can send, and metrics on demand. */
export const linkToPrimary = ({ everyMs, registry, report, primaryGone, ...heard }: LinkOptions): PrimaryLink => {
  const send = (message: WorkerMessage): Promise<void> =>
    new Promise((resolve) => {
      // When the primary dies between the check and the send, 'disconnect' follows.
      if (process.connected) process.send?.(message, undefined, undefined, () => resolve());
      else resolve();
    });
  const sendReport = () => void send({ kind: 'report', ...report() });
  const sendMetrics = async () => send({ kind: 'metrics', metrics: await registry.getMetricsAsJSON() });

  process.on('message', (message) => {
    if (!isPrimaryMessage(message)) return;
    if (message.kind === 'send-metrics') void sendMetrics();
    if (message.kind === 'replaced') heard.replaced();
    if (message.kind === 'worker-gone') heard.workerGone(message.workerId);
  });
  process.once('disconnect', () => {
    clearInterval(timer);
    primaryGone();
  });
  // Without this, node:cluster would exit at once when the primary has exited, in the middle of the runs.
  cluster.worker?.once('disconnect', () => {
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
  });
  const timer = setInterval(sendReport, everyMs);
  sendReport();

  return {
    report: sendReport,
    sendFinalReport: async () => {
      clearInterval(timer);
      await sendMetrics();
    },
  };
};
