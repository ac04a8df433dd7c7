/** The production consumer. It also records what it settles, and one rule is broken when `BREAK` names one. */
import './host-clock.ts';
import { env, pid } from 'node:process';
import { fileURLToPath } from 'node:url';
import { openWorkerServers, startWorkerTask } from '../../lib/compose/worker.ts';
import { runConsumer } from '../../lib/consumer/consumer.ts';
import type { WorkerServers } from '../../lib/deps.ts';
import { monotonicMs } from '../system/monotonic.ts';
import { recorder } from '../system/recorder.ts';
import { openBreak } from './breaks.ts';
import { makeSluggish } from './sluggish.ts';

const recordSettlements = (servers: WorkerServers): WorkerServers => {
  const record = recorder(env);
  const worker = `${env.CONSUMER_NAME}/${pid}`;
  return {
    ...servers,
    ledger: {
      ...servers.ledger,
      async commit(changes) {
        const results = await servers.ledger.commit(changes);
        changes.forEach((change, index) => {
          if (change.kind !== 'settle' || !results[index]?.applied) return;
          const { userId, seq, status, token: fencingToken } = change;
          record({ kind: 'settled', userId, seq, status, fencingToken, worker, at: monotonicMs() });
        });
        return results;
      },
    },
  };
};

await runConsumer({
  env,
  script: fileURLToPath(import.meta.url),
  startTask: (deps) =>
    startWorkerTask(deps, (config, log) =>
      recordSettlements(openBreak(env).worker(makeSluggish(openWorkerServers(config, log), env), config)),
    ),
});
