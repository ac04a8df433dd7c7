/** A Lanekeeper for tests of the client: an API as a process, and a worker with a processor of the test. */
import getPort from 'get-port';
import { pino } from 'pino';
import { type ConnectOptions, connect, type LanekeeperClient, register } from '../../../client/index.ts';
import { systemClock as clock } from '../../../lib/clock.ts';
import type { Processor } from '../../../lib/processor.ts';
import { decidePolicy } from '../../../lib/runs/policy.ts';
import { createRunRequest } from '../../../lib/runs/run.ts';
import { startApi } from '../../http/api-process.ts';
import { uniqueName } from '../../support/servers.ts';
import { openWorld, serversOf } from '../../support/world.ts';

export const echo: Processor = (request) => request;

const log = pino({ level: 'silent' });

/** `environment`: of the API. */
export const openLanekeeper = async (processor: Processor = echo, environment: Record<string, string> = {}) => {
  const world = await openWorld();
  const policy = decidePolicy({ maxAttempts: 3, retryBaseMs: 5, retryMaxMs: 20 }, world.config);
  world.work(createRunRequest({ processor, policy }, { clock, log }));
  const port = await getPort({ host: '127.0.0.1' });
  const url = `http://127.0.0.1:${port}`;
  const start = () => startApi(['functions/api.ts'], { ...serversOf(world), PORT: String(port), ...environment });
  let api = await start();
  /** A new account. */
  const account = async () => {
    const given = { username: uniqueName('u'), password: 'correct horse 17' };
    await register(url, given);
    return given;
  };
  return {
    url,
    world,
    account,
    async client(options?: ConnectOptions): Promise<LanekeeperClient> {
      return connect(url, await account(), options);
    },
    /** kill -9, and a new one at the same place. */
    async restartApi(): Promise<void> {
      api.signal('SIGKILL');
      await api.exited;
      await api.end();
      api = await start();
    },
    async [Symbol.asyncDispose]() {
      await api.end();
      await world[Symbol.asyncDispose]();
    },
  };
};
