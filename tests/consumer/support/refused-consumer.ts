/** The consumer, over a MongoDB that refuses to read the lanes, as it does when the account lacks a role. */
import { env } from 'node:process';
import { fileURLToPath } from 'node:url';
import { openWorkerServers, startWorkerTask } from '../../../lib/compose/worker.ts';
import { runConsumer } from '../../../lib/consumer/consumer.ts';

await runConsumer({
  env,
  script: fileURLToPath(import.meta.url),
  startTask: (deps) =>
    startWorkerTask(deps, (config, log) => {
      const servers = openWorkerServers(config, log);
      const known = async () => {
        throw new Error('not authorized on lanekeeper');
      };
      return { ...servers, lanes: { ...servers.lanes, known } };
    }),
});
