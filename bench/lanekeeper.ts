/** Lanekeeper as a contender: its consumer, its API, and the environment of both. */
import { join } from 'node:path';
import process from 'node:process';
import type { WorkerSnapshot } from '../lib/lanes/snapshot.ts';
import { type Child, startChild } from '../tools/child.ts';
import { freePort } from '../tools/services/probe.ts';
import type { Place } from './sides.ts';

const timeoutMs = 90_000;

export type Settings = Record<string, string>;

/** The same for the consumer, the API and the client, which accepts requests in its own process. */
export const environmentOf = ({ name, mongodbUrl, rabbitmqUrl, workers }: Place): Settings => ({
  MONGODB_URL: mongodbUrl,
  RABBITMQ_URL: rabbitmqUrl,
  JWT_SECRET: name.padEnd(40, '-'),
  BCRYPT_COST: '4',
  MAX_WAITING_HASHES: '1000',
  LOGINS_PER_MINUTE: '0',
  REGISTRATIONS_PER_HOUR: '0',
  MAX_PENDING: '50000',
  AUTO_MIGRATE: '1',
  PROCESSOR: join(import.meta.dirname, 'processor.ts'),
  WORKERS: String(workers),
  LOG_LEVEL: 'warn',
});

/** Each user of the benchmark has one session. */
export const userOf = (user: number): { userId: string; sessionId: string } => ({
  userId: `bench-${user}`,
  sessionId: `session-${user}`,
});

type WorkerStatus = { pid?: number; state: string; snapshot?: WorkerSnapshot };

/** Every lane has an owner, and no worker has more lanes than its share. */
const isBalanced = (statuses: WorkerStatus[], workers: number, lanes: number): boolean => {
  const owned = statuses.map(({ state, snapshot }) => (state === 'running' ? (snapshot?.lanesOwned ?? 0) : 0));
  const share = Math.ceil(lanes / workers);
  return owned.reduce((sum, count) => sum + count, 0) === lanes && owned.every((count) => count <= share);
};

const lanes = 64;

export type Consumer = Awaited<ReturnType<typeof startConsumers>>[number];

/** How a process of the product is started. */
export type Start = { place: Place; runsPath: string; folder: string; settings?: Settings };

const startProcess = (name: string, { place, runsPath, folder, settings }: Start, more: Settings): Child => {
  const env = {
    PATH: process.env.PATH,
    ...environmentOf(place),
    BENCH_RUNS: runsPath,
    LANES: String(lanes),
    ...more,
    ...settings,
  };
  const script = name.replace(/-\d+$/, '');
  const command = { name, args: ['--no-warnings', `functions/${script}.ts`], cwd: place.checkout, env };
  return startChild({ ...command, logFile: join(folder, `${place.name}-${name}.log`), graceMs: 15_000 });
};

/** Starts `count` consumers, each with as many workers as the place says. Resolves when they share the lanes evenly. */
export const startConsumers = async (start: Start, count = 1) => {
  const consumers = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const port = await freePort();
      const child = startProcess(`consumer-${index}`, start, { METRICS_PORT: String(port) });
      const statuses = async (): Promise<WorkerStatus[]> =>
        (JSON.parse(await (await fetch(`http://127.0.0.1:${port}/healthz`)).text()) as { workers: WorkerStatus[] })
          .workers;
      return { child, statuses, pid: child.pid as number };
    }),
  );
  await consumers[0]?.child.until('the lanes are shared', timeoutMs, async () => {
    const all = (await Promise.all(consumers.map(({ statuses }) => statuses()))).flat();
    return isBalanced(all, all.length, lanes);
  });
  return consumers;
};

/** The HTTP API in a process of its own, or in several (`API_WORKERS`). */
export const startApi = async (start: Start) => {
  const port = await freePort();
  const child = startProcess('api', start, { PORT: String(port) });
  const url = `http://127.0.0.1:${port}`;
  await child.until('the API is healthy', timeoutMs, async () => (await fetch(`${url}/health`)).ok);
  return { child, url, pid: child.pid as number };
};
