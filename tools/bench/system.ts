/** The product under load: a consumer with two workers, the HTTP API, and users who are logged in. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import process from 'node:process';
import jwt from 'jsonwebtoken';
import { closeFunctionDeps, functionDeps } from '../../lib/compose/functions.ts';
import type { WorkerSnapshot } from '../../lib/lanes/snapshot.ts';
import { acceptRequest } from '../../lib/requests/accept.ts';
import { CallError, type Client, callApi, connectUser } from '../api-client.ts';
import { startChild } from '../child.ts';
import { freePort } from '../services/probe.ts';
import type { BenchServers } from './servers.ts';
import type { Send } from './workload.ts';

const workers = 2;
const timeoutMs = 90_000;

export type System = Awaited<ReturnType<typeof startSystem>>;

type WorkerStatus = { state: string; snapshot?: WorkerSnapshot };

/** Every lane has an owner, and no worker has more lanes than its share. */
const isBalanced = (statuses: WorkerStatus[], lanes: number): boolean => {
  const owned = statuses.map(({ state, snapshot }) => (state === 'running' ? (snapshot?.lanesOwned ?? 0) : 0));
  const share = Math.ceil(lanes / workers);
  return owned.reduce((sum, count) => sum + count, 0) === lanes && owned.every((count) => count <= share);
};

/** @param settings of the API and the consumer, in place of those of the benchmark. */
export const startSystem = async (
  { folder, mongodbUrl, rabbitmqUrl }: BenchServers,
  settings: Record<string, string> = {},
) => {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const env = {
    MONGODB_URL: mongodbUrl('measured'),
    RABBITMQ_URL: rabbitmqUrl,
    JWT_SECRET: randomUUID(),
    BCRYPT_COST: '4',
    MAX_WAITING_HASHES: '1000',
    LOGINS_PER_MINUTE: '0',
    REGISTRATIONS_PER_HOUR: '0',
    AUTO_MIGRATE: '1',
    PROCESSOR: 'tools/bench/no-op.ts',
    WORKERS: String(workers),
    PORT: String(port),
    METRICS_PORT: String(metricsPort),
    ...settings,
  };
  const start = (name: string) => {
    const command = { name, args: [`functions/${name}.ts`], env: { PATH: process.env.PATH, ...env } };
    return startChild({ ...command, logFile: join(folder, `${name}.log`), graceMs: 30_000 });
  };
  const [consumer, api] = [start('consumer'), start('api')];
  Object.assign(process.env, env, { LOG_LEVEL: 'error' });
  const deps = await functionDeps();
  const apiUrl = `http://127.0.0.1:${port}`;

  const askConsumer = async (path: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${metricsPort}${path}`)).text();
  /** How many requests the consumer has settled since its start. Asks no database. */
  const settled = async (): Promise<number> => {
    const values = (await askConsumer('/metrics')).matchAll(/^lanekeeper_settled_total\{.*\} (\d+)$/gm);
    return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
  };
  const accept: Send = async ({ token }: Client, request) => {
    const { sub: userId, sid: sessionId } = jwt.decode(token) as { sub: string; sid: string };
    return (await acceptRequest({ userId, sessionId, body: JSON.stringify(request) }, deps)).seq;
  };
  const post: Send = async ({ token }, request) =>
    (await callApi<{ seq: number }>(apiUrl, 'POST /enqueue', { token, json: { request } })).seq;

  await consumer.until('the lanes are shared', timeoutMs, async () => {
    const { workers } = JSON.parse(await askConsumer('/healthz')) as { workers: WorkerStatus[] };
    return isBalanced(workers, deps.config.lanes);
  });
  await api.until('the API is healthy', timeoutMs, async () => (await fetch(`${apiUrl}/health`)).ok);
  return {
    /** Enqueue by a call of the library in this process, and over HTTP to the API's process. */
    accept,
    post,
    /** A login that fails, because there is no such user. Returns whether the password was checked: the API may be busy. */
    logInAsNobody: async (): Promise<boolean> => {
      const json = { username: `nobody-${randomUUID().slice(0, 20)}`, password: randomUUID() };
      const error = await callApi(apiUrl, 'POST /login', { json }).then(
        () => new Error('Nobody could log in.'),
        (refusal) => refusal,
      );
      if (error instanceof CallError && (error.status === 401 || error.status === 503)) return error.status === 401;
      throw error;
    },
    settled,
    untilSettled: (count: number): Promise<void> =>
      consumer.until(`${count} requests are settled`, timeoutMs, async () => (await settled()) >= count),
    connect: (count: number): Promise<Client[]> =>
      Promise.all(Array.from({ length: count }, () => connectUser(apiUrl, `u-${randomUUID().slice(0, 20)}`))),
    stop: async (): Promise<void> => {
      await Promise.all([api.stop(), consumer.stop(), closeFunctionDeps()]);
    },
  };
};
