/** The program of a consumer that the library starts with processes of its own. It ends with the process that has started it. */
import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { checkServers, startWorkerTask } from '../compose/worker.ts';
import { runConsumer } from '../consumer/consumer.ts';

if (cluster.isPrimary) process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
await runConsumer({
  env: process.env,
  script: fileURLToPath(import.meta.url),
  startTask: startWorkerTask,
  checkServers,
  running: () => process.send?.({ lanekeeper: 'running' }),
});
