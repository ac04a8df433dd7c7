import { fileURLToPath } from 'node:url';
import { checkServers, startWorkerTask } from '../lib/compose/worker.ts';
import { runConsumer } from '../lib/consumer/consumer.ts';

/** The consumer. This process is the primary; it runs this file again for each worker. */
await runConsumer({
  env: process.env,
  script: fileURLToPath(import.meta.url),
  startTask: startWorkerTask,
  checkServers,
});
