/** The product under load: a consumer of two workers, the HTTP API, and users whose sessions are open. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { signToken } from '../../lib/accounts/tokens.ts';
import { createPublisher } from '../../lib/broker/publisher.ts';
import { systemClock } from '../../lib/clock.ts';
import { loadConfig } from '../../lib/config.ts';
import { laneOf } from '../../lib/lane-of.ts';
import type { WorkerSnapshot } from '../../lib/lanes/snapshot.ts';
import { createLogger } from '../../lib/log.ts';
import { type AcceptDeps, acceptRequest } from '../../lib/requests/accept.ts';
import { disconnect } from '../../lib/requests/disconnect.ts';
import { openStores } from '../../lib/store/stores.ts';
import type { LedgerEntry } from '../../lib/types.ts';
import { freePort } from '../services/probe.ts';
import { type BenchChild, startChild } from './child.ts';
import { closedLoop } from './load.ts';
import type { BenchServers } from './servers.ts';

const workers = 2;
const processor = 'tools/bench/no-op.ts';
const sessionMs = 3_600_000;
const patienceMs = 90_000;
const readAtOnce = 500;

export type BenchUser = { userId: string; sessionId: string; token: string };
export type System = Awaited<ReturnType<typeof startSystem>>;

type WorkerStatus = { pid: number; state: string; snapshot?: WorkerSnapshot };

const until = async (what: string, alive: BenchChild, isSo: () => Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + patienceMs;
  while (!(await Promise.race([isSo(), alive.death]))) {
    if (Date.now() > deadline) throw new Error(`Not within ${patienceMs / 1_000} s: ${what}.`);
    await sleep(100);
  }
};

const getText = async (url: string): Promise<string> => {
  const response = await fetch(url);
  return response.text();
};

/** Every lane owned, and none left to be handed over for the sake of balance. */
const isBalanced = (statuses: WorkerStatus[], lanes: number): boolean => {
  const owned = statuses.map(({ state, snapshot }) => (state === 'running' ? (snapshot?.lanesOwned ?? 0) : 0));
  const share = Math.ceil(lanes / workers);
  return owned.reduce((sum, count) => sum + count, 0) === lanes && owned.every((count) => count <= share);
};

const startConsumer = async (options: { env: Record<string, string>; folder: string; nodeOptions: string[] }) => {
  const port = await freePort();
  const consumer = startChild({
    ...options,
    name: 'consumer',
    script: 'functions/consumer.ts',
    env: { ...options.env, METRICS_PORT: String(port) },
  });
  const url = `http://127.0.0.1:${port}`;
  return {
    child: consumer,
    workers: async (): Promise<WorkerStatus[]> => {
      const text = await getText(`${url}/healthz`).catch(() => '{"workers":[]}');
      return (JSON.parse(text) as { workers: WorkerStatus[] }).workers;
    },
    settled: async (): Promise<number> => {
      const values = (await getText(`${url}/metrics`)).matchAll(/^lanekeeper_settled_total\{.*\} (\d+)$/gm);
      return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
    },
  };
};

/** @param nodeOptions of the consumer's processes and of the API. */
export const startSystem = async (servers: BenchServers, name: string, nodeOptions: string[] = []) => {
  const port = await freePort();
  const env = {
    MONGODB_URL: servers.mongodbUrl(name),
    RABBITMQ_URL: servers.rabbitmqUrl,
    QUEUE_PREFIX: `${name}.`,
    JWT_SECRET: randomUUID(),
    PROCESSOR: processor,
    WORKERS: String(workers),
    PORT: String(port),
    PROFILE_FOLDER: servers.folder,
  };
  const config = loadConfig(env, 'functions');
  const log = createLogger('warn', { role: 'bench' });
  const stores = openStores(config);
  await stores.ping();
  const publisher = createPublisher(config, log);
  const deps: AcceptDeps = { ...stores, publisher, clock: systemClock, log, config };
  const options = { env, folder: servers.folder, nodeOptions };
  const consumer = await startConsumer(options);
  const api = startChild({ ...options, name: 'api', script: 'functions/api.ts' });
  await until('the lanes are shared', consumer.child, async () => isBalanced(await consumer.workers(), config.lanes));
  const apiUrl = `http://127.0.0.1:${port}`;
  await until('the API answers', api, () =>
    fetch(`${apiUrl}/health`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );

  const logInUser = async (): Promise<BenchUser> => {
    const identity = { userId: randomUUID().replaceAll('-', '').slice(0, 24), sessionId: randomUUID() };
    const lane = laneOf(identity.userId, config.lanes);
    const expiresAt = new Date(Date.now() + sessionMs);
    await stores.userQueues.create(identity.userId, lane, new Date());
    await stores.userQueues.addSession(identity.userId, { id: identity.sessionId, expiresAt }, lane, 1);
    return { ...identity, token: signToken(identity, expiresAt, env.JWT_SECRET) };
  };

  return {
    apiUrl,
    apiPid: api.process.pid as number,
    workerPids: async () => (await consumer.workers()).map(({ pid }) => pid),
    users: (count: number): Promise<BenchUser[]> => Promise.all(Array.from({ length: count }, logInUser)),
    accept: async ({ userId, sessionId }: BenchUser, body: string): Promise<number> =>
      (await acceptRequest({ userId, sessionId, body }, deps)).seq,
    /** How many requests the consumer has settled since its start; asks no database. */
    settled: consumer.settled,
    /** Waits until the consumer has settled so many. */
    untilSettled: (count: number) =>
      until(`${count} requests are settled`, consumer.child, async () => (await consumer.settled()) >= count),
    ledger: async (users: BenchUser[], upTo: number): Promise<LedgerEntry[]> => {
      const entries: LedgerEntry[] = [];
      for (const { userId } of users) {
        for (let first = 1; first <= upTo; first += readAtOnce) {
          const length = Math.min(readAtOnce, upTo - first + 1);
          const ids = Array.from({ length }, (_, index) => ({ userId, seq: first + index }));
          entries.push(...(await stores.ledger.read(ids)));
        }
      }
      return entries;
    },
    /** Ends the users' sessions, and waits until their queues are gone. */
    disconnect: async (users: BenchUser[]): Promise<void> => {
      await closedLoop({ count: users.length, inFlight: 16 }, async (index) => {
        const user = users[index] as BenchUser;
        const queue = await disconnect({ ...user, pending: 'drain', waitMs: 20_000 }, deps);
        if (queue !== 'closed') throw new Error(`A queue is still ${queue} 20 s after its last request.`);
      });
    },
    stop: async () => {
      await Promise.all([api.stop(), consumer.child.stop()]);
      await Promise.all([publisher.close(), stores.close()]);
    },
  };
};
