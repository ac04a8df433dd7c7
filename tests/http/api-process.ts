import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import getPort from 'get-port';
import { openStores } from '../../lib/store/stores.ts';
import { mongodbUrl, rabbitmqUrl, tokenSecret, uniqueName } from '../support/servers.ts';
import { eventually } from '../support/world.ts';
import { httpClient } from './drivers.ts';

export type ApiProcess = {
  port: number;
  call: ReturnType<typeof httpClient>;
  signal(name: NodeJS.Signals): void;
  /** As a terminal does, to the process and its workers. Only with a process group of their own. */
  signalGroup(name: NodeJS.Signals): void;
  /** Of its workers. */
  childPids(): number[];
  /** Resolves to the exit status. */
  exited: Promise<number | null>;
  /** Ends the process with SIGTERM and drops its database. Resolves to all that it wrote, and its exit status. */
  end(): Promise<{ output: string; status: number | null }>;
};

/** Starts the API as a process of its own, as a user does, and keeps all that it writes. Does not wait until it is up. */
export const spawnApi = async (
  args: string[],
  environment: Record<string, string> = {},
  { ownGroup = false } = {},
): Promise<ApiProcess> => {
  const name = uniqueName('api');
  const port = environment.PORT === undefined ? await getPort({ host: '127.0.0.1' }) : Number(environment.PORT);
  const child = spawn(process.execPath, args, {
    cwd: new URL('../../', import.meta.url),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: ownGroup,
    env: {
      ...process.env,
      PORT: String(port),
      MONGODB_URL: mongodbUrl(name),
      RABBITMQ_URL: rabbitmqUrl(),
      QUEUE_PREFIX: `${name}.`,
      JWT_SECRET: tokenSecret,
      BCRYPT_COST: '4',
      // Every test calls from the same address.
      LOGINS_PER_MINUTE: '0',
      MAX_WAITING_HASHES: '1000',
      REGISTRATIONS_PER_HOUR: '0',
      LOG_LEVEL: 'trace',
      ...environment,
    },
  });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
  });
  const call = httpClient(`http://127.0.0.1:${port}`);
  const end = async () => {
    child.kill('SIGTERM');
    const status = await exited;
    const stores = openStores({ mongodbUrl: mongodbUrl(name), storeTimeoutMs: 10_000, autoMigrate: 1 });
    await stores.drop();
    await stores.close();
    return { output: (await output).join('\n'), status };
  };
  const childPids = () =>
    readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  const signalGroup = (name: NodeJS.Signals) => void process.kill(-(child.pid as number), name);
  return { port, call, signal: (name) => child.kill(name), signalGroup, childPids, exited, end };
};

/** The same, and waits until `/health` answers. */
export const startApi = async (args: string[], environment: Record<string, string> = {}): Promise<ApiProcess> => {
  const api = await spawnApi(args, environment);
  let hasExited = false;
  const died = api.exited.then(() => {
    hasExited = true;
  });
  try {
    const answers = () => api.call({ call: 'GET /health' }).catch(() => undefined);
    // A port that another process has may never answer.
    const answersOrDied = async () => (await Promise.race([answers(), died])) ?? (hasExited ? 'died' : undefined);
    if ((await eventually('the API answers', answersOrDied, 120_000)) === 'died') throw new Error('The API died.');
  } catch (error) {
    throw new Error((await api.end()).output, { cause: error });
  }
  return api;
};
