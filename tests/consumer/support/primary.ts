/** A cluster primary as in functions/consumer.ts, with the worker script that the test names. */
import { systemClock } from '../../../lib/clock.ts';
import { loadConfig } from '../../../lib/config.ts';
import { runPrimary } from '../../../lib/consumer/primary.ts';
import { createLogger } from '../../../lib/log.ts';

// Until SIGHUP, no worker can be spawned, as when the system is out of processes.
if (process.env.TEST_NO_ROOM) {
  const { execPath } = process;
  process.execPath = '/nowhere/node';
  process.on('SIGHUP', () => {
    process.execPath = execPath;
  });
}

const config = loadConfig(process.env, 'consumer');
const log = createLogger('info', { role: 'primary' });
const script = process.env.TEST_WORKER ?? '';
const ecsAgentUri = process.env.ECS_AGENT_URI;
process.exit(await runPrimary({ config, clock: systemClock, log, script, ecsAgentUri }));
