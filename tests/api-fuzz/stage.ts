/** An API and a consumer of their own, on servers of their own, and callers of every kind. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { execa } from 'execa';
import getPort from 'get-port';
import { root } from '../../tools/run-tool.ts';
import { privateMongodb, privateRabbitmq } from '../support/private-servers.ts';
import { eventually } from '../support/world.ts';

const command = (...args: string[]) => ['--no-warnings', join(root, 'tools', 'lanekeeper.ts'), ...args];

/** Runs `lanekeeper` until the end of the scope. It must end with 0. */
const start = (name: string, folder: string, env: Record<string, string>) => {
  const logFile = join(folder, `${name}.log`);
  const child = execa(execPath, command(name), {
    cwd: root,
    env,
    stdout: { file: logFile },
    stderr: { file: logFile },
    reject: false,
  });
  let exited = false;
  void child.finally(() => {
    exited = true;
  });
  return {
    hasExited: () => exited,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      const { exitCode } = await child;
      if (exitCode !== 0) throw new Error(`lanekeeper ${name} ended with ${exitCode}. Its log: ${logFile}`);
    },
  };
};

/** `user` also has the operator role; `leaving` ends sessions. */
export type Callers = { user: string; leaving: string; key: string };

const post = async (url: string, body: object): Promise<Record<string, string>> => {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url} answered ${response.status} ${await response.text()}`);
  return (await response.json()) as Record<string, string>;
};

const tokenOf = async (api: string, username: string): Promise<string> => {
  const account = { username, password: 'correct horse' };
  await post(`${api}/register`, account);
  return (await post(`${api}/login`, account)).token ?? '';
};

/** @param folder for the logs; emptied first. */
export const openStage = async (folder: string) => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await using stack = new AsyncDisposableStack();
  const mongodb = stack.use(await privateMongodb());
  const rabbitmq = stack.use(await privateRabbitmq());
  const port = await getPort({ host: '127.0.0.1' });
  const env = {
    ...{ MONGODB_URL: mongodb.url, RABBITMQ_URL: rabbitmq.url, JWT_SECRET: 'a-secret-of-the-fuzzer-alone-0123456789' },
    ...{ PORT: String(port), METRICS_PORT: '0', LANES: '4', WORKERS: '1', BCRYPT_COST: '4', STUCK_AFTER_MS: '1000' },
    ...{ LOGINS_PER_MINUTE: '0', REGISTRATIONS_PER_HOUR: '0', TOKEN_TTL_SECONDS: '86400', IDLE_TIMEOUT_MS: '2000' },
    PROCESSOR: join(root, 'tests', 'api-fuzz', 'processor.ts'),
  };
  const run = async (...args: string[]): Promise<string> =>
    (await execa(execPath, command(...args), { cwd: root, env })).stdout;
  await run('migrate');
  stack.use(start('consumer', folder, env));
  const server = stack.use(start('api', folder, env));
  const api = `http://127.0.0.1:${port}`;
  const answers = async (): Promise<boolean> => (await fetch(`${api}/health`).catch(() => undefined))?.ok ?? false;
  await eventually('the API answers', async () => server.hasExited() || answers(), 60_000);
  const [user, leaving] = [await tokenOf(api, 'user'), await tokenOf(api, 'leaving')];
  await run('operator', 'user');
  const { key } = JSON.parse(await run('keys', 'create', 'fuzz', '--scopes', 'enqueue,read,operate', '--json'));
  const callers: Callers = { user, leaving, key };
  const opened = stack.move();
  return { api, callers, [Symbol.asyncDispose]: () => opened.disposeAsync() };
};
