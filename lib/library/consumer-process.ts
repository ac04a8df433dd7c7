/** The program of a consumer that the library starts with processes of its own. It ends with the process that has started it. */
import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { checkServers, startWorkerTask } from '../compose/worker.ts';
import { runConsumer } from '../consumer/consumer.ts';
import { isDrainOrder, runningReport } from './consumer-messages.ts';

/** How late a signal to the process group may be handled here, when the order of the host came because of the same signal. */
const sameSignalMs = 100;

/** Drains once. A second signal of ours would end the runs, and the process group may have got one from a terminal or from systemd. */
const drainOnOrder = (): void => {
  let isDraining = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      isDraining = true;
    });
  }
  const drain = () =>
    setTimeout(() => {
      if (!isDraining) process.kill(process.pid, 'SIGTERM');
    }, sameSignalMs);
  process.once('disconnect', drain);
  process.on('message', (message) => {
    if (isDrainOrder(message)) drain();
  });
};

if (cluster.isPrimary) drainOnOrder();
await runConsumer({
  env: process.env,
  script: fileURLToPath(import.meta.url),
  startTask: startWorkerTask,
  checkServers,
  running: () => process.send?.(runningReport),
});
