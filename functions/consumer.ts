import { fileURLToPath } from 'node:url';
import { startWorkerTask } from '../lib/compose/worker.ts';
import { runConsumer } from '../lib/consumer/consumer.ts';

/** The consumer: a cluster primary that starts this file again as each of its workers. */
await runConsumer({
  env: process.env,
  script: fileURLToPath(import.meta.url),
  startTask: startWorkerTask,
});
