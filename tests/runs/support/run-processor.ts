/** Loads the processor that `PROCESSOR` names, as a worker does, runs the requests in the arguments, and prints the outcomes. */
import { argv, env, stdout } from 'node:process';
import { systemClock as clock } from '../../../lib/clock.ts';
import { loadConfig } from '../../../lib/config.ts';
import { createLogger } from '../../../lib/log.ts';
import { loadProcessor } from '../../../lib/runs/load-processor.ts';
import { createRunRequest } from '../../../lib/runs/run.ts';

const loaded = await loadProcessor({ config: loadConfig(env, 'consumer'), clock });
const runRequest = createRunRequest(loaded, { clock, log: createLogger('silent') });
const run = { userId: 'u1', user: 'ada', attempt: 1, fencingToken: 9, limits: {}, forgiven: 0, interruptions: 0 };
const { signal } = new AbortController();
const outcomes = await Promise.all(
  argv.slice(2).map((body, index) => runRequest({ ...run, seq: index + 1, body, signal })),
);
stdout.write(JSON.stringify({ policy: loaded.policy, outcomes }));
