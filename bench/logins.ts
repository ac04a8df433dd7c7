/** What logins cost the other calls: enqueues at a pace, first alone, then beside logins that hash without a pause. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LanekeeperClient } from '../client/index.ts';
import { CallError, callApi } from '../tools/api-client.ts';
import { openLoop } from '../tools/load.ts';
import { connectNewUser } from '../tools/new-user.ts';
import { root } from '../tools/run-tool.ts';
import { percentile } from './figures.ts';
import { startApi, startConsumers } from './lanekeeper.ts';
import { openRunLog } from './runs.ts';
import type { BenchServers, Sync } from './servers.ts';
import { monotonicMs } from './sides.ts';

const userCount = 20;
/** For 20 s: the p99 is then that of the ten slowest. */
const paced = { ratePerSecond: 50, count: 1_000 };
const concurrentLogins = 50;
/** As `Retry-After` of `busy` says, but not all callers at the same moment. */
const retryMs = 1_000;

/** Latencies in ms, from when each enqueue was due to its answer. `logins` were answered meanwhile. */
export type BesideLogins = { quiet: number[]; beside: number[]; logins: number };

/** A login that fails, because there is no such user. Returns whether the password was checked: the API may be busy. */
const logInAsNobody = async (url: string): Promise<boolean> => {
  const json = { username: `nobody-${randomUUID().slice(0, 20)}`, password: randomUUID() };
  const error = await callApi(url, 'POST /login', { json }).then(
    () => new Error('Nobody could log in.'),
    (refusal) => refusal,
  );
  if (error instanceof CallError && (error.status === 401 || error.status === 503)) return error.status === 401;
  throw error;
};

const measureAt = async (url: string): Promise<BesideLogins> => {
  const users = await Promise.all(
    Array.from({ length: userCount }, () => connectNewUser(url, `u-${randomUUID().slice(0, 20)}`)),
  );
  const userOf = (index: number): LanekeeperClient => users[index % userCount] as LanekeeperClient;
  const enqueueAtPace = async (): Promise<number[]> => {
    const latencies: number[] = [];
    const call = async (index: number, dueAt: number): Promise<void> => {
      await userOf(index).enqueue({ user: 0, n: index });
      latencies.push(monotonicMs() - dueAt);
    };
    await openLoop(paced, call, { now: monotonicMs, wait: sleep });
    return latencies;
  };
  // Opens the queues, and warms the API up.
  await enqueueAtPace();
  const quiet = await enqueueAtPace();
  let logins = 0;
  let isOver = false;
  const logInUntilOver = async (): Promise<void> => {
    while (!isOver) {
      if (await logInAsNobody(url)) logins += 1;
      else await sleep(retryMs * (0.5 + Math.random()));
    }
  };
  const storm = Array.from({ length: concurrentLogins }, logInUntilOver);
  const beside = await enqueueAtPace();
  const answered = logins;
  isOver = true;
  await Promise.all(storm);
  return { quiet, beside, logins: answered };
};

/** With the hashes that the product makes by default. */
export const measureBesideLogins = async ({
  servers,
  sync,
}: {
  servers: BenchServers;
  sync: Sync;
}): Promise<BesideLogins> => {
  const name = 'logins';
  const bare = await servers.makePlace(name, sync);
  const place = { ...bare, users: userCount, idleUsers: 0, workers: 2, checkout: root, apiUrl: '' };
  const runsPath = `${servers.folder}/logins.sock`;
  const log = await openRunLog(runsPath);
  const start = { place, runsPath, folder: servers.folder, settings: { BCRYPT_COST: '', MAX_WAITING_HASHES: '' } };
  const [consumers, api] = [await startConsumers(start), await startApi(start)];
  try {
    return await measureAt(api.url);
  } finally {
    await Promise.all([...consumers, api].map(({ child }) => child.stop()));
    log.close();
    await servers.removePlace(name, sync);
  }
};

export const describeBesideLogins = ({ quiet, beside, logins }: BesideLogins): string => {
  const latency = (latencies: number[]): string => {
    const p = (share: number) => `${percentile(latencies, share).toFixed(1)} ms`;
    return `p50 ${p(0.5)}, p99 ${p(0.99)} of ${latencies.length}`;
  };
  const ratio = percentile(beside, 0.99) / percentile(quiet, 0.99);
  return [
    'Enqueue over HTTP at 50/s, due to answered',
    `  without logins     ${latency(quiet)}`,
    `  ${concurrentLogins} logins at once  ${latency(beside)}; ${logins} logins answered meanwhile`,
    `  p99 grows          ${ratio.toFixed(1)} times`,
  ].join('\n');
};
