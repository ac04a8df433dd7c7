import { fileURLToPath } from 'node:url';
import { runConsumer } from '../lib/consumer/consumer.ts';
import { openWorkerServers } from '../lib/deps.ts';

/** The consumer: a cluster primary that starts this file again as each of its workers. */
await runConsumer({
  env: process.env,
  script: fileURLToPath(import.meta.url),
  openServers: openWorkerServers,
});
