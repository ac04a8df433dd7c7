/** The containers of docker-compose.yml, under a project of their own. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { root } from '../../tools/run-tool.ts';
import { freePort } from '../../tools/services/probe.ts';
import type { Engine } from './engine.ts';

const project = 'lanekeeper-containers';

/** As Compose names it. */
export const consumerImage = `${project}-consumer`;

const secret = (): string => randomBytes(24).toString('hex');

/** Short times, so that a minute shows as much as an hour would. */
const shortTimes = {
  ...{ LANES: '16', CONCURRENCY: '4', ISOLATED_PROCESSES: '2', LOG_LEVEL: 'info', BCRYPT_COST: '4' },
  ...{ LOGINS_PER_MINUTE: '0', REGISTRATIONS_PER_HOUR: '0', LOGIN_MAX_DELAY_SECONDS: '0', MAX_WAITING_HASHES: '1000' },
  ...{ MAX_ATTEMPTS: '3', RETRY_BASE_MS: '20', RETRY_MAX_MS: '500', GRACE_MS: '5000', GAP_TIMEOUT_MS: '1000' },
  ...{ IDLE_TIMEOUT_MS: '3000', STUCK_AFTER_MS: '2000', SWEEP_MS: '700', BALANCE_MS: '1500' },
  ...{ HEARTBEAT_SECONDS: '2', FROZEN_AFTER_MS: '6000', WORKER_HANG_MS: '4000', STORE_TIMEOUT_MS: '3000' },
};

export type Stack = {
  engine: Engine;
  url: string;
  network: string;
  env: Record<string, string>;
  /** The name of a container. */
  container(service: string, number?: number): string;
  /** `docker compose up --build`, with further files over docker-compose.yml. */
  up(files?: string[], env?: Record<string, string>): Promise<void>;
  /** The URLs of the servers as this process and the functions reach them. */
  servers(): Promise<{ mongodbUrl: string; rabbitmqUrl: string }>;
  /** Resolves when the workers of a consumer run. */
  consumerReady(number: number): Promise<void>;
  down(): Promise<void>;
};

const startTimeoutMs = 120_000;

/** @param url asked again before each try: a container may get another address. */
export const untilOk = async (what: string, url: () => Promise<string>): Promise<void> => {
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline) {
    const response = await fetch(await url(), { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    if (response?.ok) return;
    await pause(300);
  }
  throw new Error(`${what} was not healthy within ${startTimeoutMs} ms.`);
};

export const openStack = async (engine: Engine): Promise<Stack> => {
  const env: Record<string, string> = {
    ...shortTimes,
    ...{ JWT_SECRET: secret(), MONGODB_ROOT_PASSWORD: secret(), MONGODB_PASSWORD: secret() },
    ...{ RABBITMQ_FUNCTIONS_PASSWORD: secret(), RABBITMQ_CONSUMER_PASSWORD: secret() },
  };
  for (const name of ['PORT', 'METRICS_PORT', 'API_METRICS_PORT']) env[name] = String(await freePort());
  const url = `http://127.0.0.1:${env.PORT}`;
  const below = engine.pulls ? [] : ['stand-ins.yml'];
  const compose = (args: string[], files: string[] = [], more: Record<string, string> = {}): Promise<void> => {
    const over = [...below, ...files].flatMap((file) => ['-f', join(import.meta.dirname, file)]);
    const names = ['--project-directory', root, '-p', project, '-f', join(root, 'docker-compose.yml'), ...over];
    return engine.compose([...names, ...args], { ...env, ...more });
  };
  const container = (service: string, number = 1): string => `${project}-${service}-${number}`;
  const addressOf = async (name: string): Promise<string> => {
    const network = `(index .NetworkSettings.Networks "${project}_servers").IPAddress`;
    return (await engine.run('inspect', '-f', `{{${network}}}`, name)).trim();
  };
  let given: { files: string[]; more: Record<string, string> } = { files: [], more: {} };
  // What an interrupted run left would have other passwords.
  await compose(['down', '--volumes', '--remove-orphans', '--timeout', '1']).catch(() => {});
  return {
    engine,
    url,
    network: `${project}_servers`,
    env,
    container,
    up: async (files = [], more = {}) => {
      given = { files, more };
      await compose(['up', '--build', '--detach', '--quiet-pull'], files, more);
      await untilOk('the API', async () => `${url}/health`);
    },
    servers: async () => {
      const [mongodb, rabbitmq] = await Promise.all(['mongodb', 'rabbitmq'].map((name) => addressOf(container(name))));
      const login = engine.pulls ? `lanekeeper:${env.MONGODB_PASSWORD}@` : '';
      return {
        mongodbUrl: `mongodb://${login}${mongodb}:27017/lanekeeper?directConnection=true`,
        rabbitmqUrl: `amqp://lanekeeper-consumer:${env.RABBITMQ_CONSUMER_PASSWORD}@${rabbitmq}:5672`,
      };
    },
    consumerReady: (number) => {
      const name = container('consumer', number);
      return untilOk(name, async () => `http://${await addressOf(name)}:9464/healthz`);
    },
    down: () => compose(['down', '--volumes', '--remove-orphans', '--timeout', '10'], given.files, given.more),
  };
};
