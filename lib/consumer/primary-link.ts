import cluster from 'node:cluster';
import type { Registry } from 'prom-client';
import type { WorkerSnapshot } from '../lanes/lane-worker.ts';
import type { LifecycleState } from './lifecycle.ts';
import { isPrimaryMessage, type WorkerMessage } from './messages.ts';

export type PrimaryLink = {
  /** At once, beside the regular reports. */
  report(): void;
  /** Hands the last metrics over and ends the regular reports. Never rejects. */
  sendFinalReport(): Promise<void>;
};

type LinkOptions = {
  everyMs: number;
  registry: Registry;
  report: () => { state: LifecycleState; snapshot?: WorkerSnapshot };
  /** Called once, when the primary is gone. */
  primaryGone: () => void;
};

/** A worker's end of the channel to its primary: regular reports, that only a turning event loop can send, and metrics on demand. */
export const linkToPrimary = ({ everyMs, registry, report, primaryGone }: LinkOptions): PrimaryLink => {
  const send = (message: WorkerMessage): Promise<void> =>
    new Promise((resolve) => {
      // A primary that dies between the check and the send is told by 'disconnect', not here.
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
  // node:cluster would exit at once when the primary is gone, in the middle of the runs.
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
