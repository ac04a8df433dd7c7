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
  report: () => { state: LifecycleState; snapshot?: WorkerSnapshot };
  /** Called once, when the primary has exited. */
  primaryGone: () => void;
};

/** A worker's end of the channel to its primary: the heartbeat, which only a turning event loop can send, and metrics on demand. */
export const linkToPrimary = ({ everyMs, registry, report, primaryGone }: LinkOptions): PrimaryLink => {
  const send = (message: WorkerMessage): Promise<void> =>
    new Promise((resolve) => {
      // When the primary dies between the check and the send, 'disconnect' follows.
      if (process.connected) process.send?.(message, undefined, undefined, () => resolve());
      else resolve();
    });
  const sendReport = () => void send({ kind: 'report', ...report() });
  const sendMetrics = async () => send({ kind: 'metrics', metrics: await registry.getMetricsAsJSON() });

  process.on('message', (message) => {
    if (isPrimaryMessage(message)) void sendMetrics();
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
