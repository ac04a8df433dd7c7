/**
 * Opens many users on two workers, and then kills one of them: how long it takes to open them, what each costs in memory and
 * descriptors, and how long the requests of all users wait for a start after the kill. Private servers.
 *
 *     node --no-warnings tests/scale/many-users.ts --users 20000
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createPublisher } from '../../lib/broker/publisher.ts';
import { createLogger } from '../../lib/log.ts';
import { userIdOf } from '../../lib/references.ts';
import { acceptRequest } from '../../lib/requests/accept.ts';
import { openStores } from '../../lib/store/stores.ts';
import type { EntryId, LedgerEntry } from '../../lib/types.ts';
import { type Child, startChild } from '../../tools/child.ts';
import { closedLoop, nowMs, openLoop } from '../../tools/load.ts';
import { freePort } from '../../tools/services/probe.ts';
import { rabbitmqctl } from '../../tools/services/rabbitmq.ts';
import { type PrivateServer, privateMongodb, privateRabbitmq } from '../support/private-servers.ts';
import { testConfig } from '../support/servers.ts';
import { percentile } from './percentile.ts';

export type Options = { users: number; lanes: number; ratePerSecond: number; seconds: number };

/** Times in ms, memory in bytes. */
export type Result = {
  /** From the start of the consumers until each owns its share of the lanes. */
  sharedMs: number;
  idleWorkerBytes: number;
  idleBrokerBytes: number;
  openedMs: number;
  queuesMs: number;
  workerBytesPerUser: number;
  brokerBytesPerUser: number;
  brokerFiles: number;
  beforeKill: Waits;
  afterKill: Waits;
};

/** From accepted to started. */
type Waits = { requests: number; p50: number; p99: number; longest: number; overOneSecond: number };

const acceptsInFlight = 64;
const openTimeoutMs = 900_000;

type Consumer = Child & { worker(): number };

const processor = fileURLToPath(new URL('./nothing.ts', import.meta.url));

/** The processes below this one. */
const descendants = (pid: number): number[] => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
};

const residentBytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;

/** The Erlang machine. */
const brokerPid = async ({ folder }: PrivateServer): Promise<number> =>
  Number((await rabbitmqctl(folder, ['--quiet', 'eval', 'io:format("~s", [os:getpid()]).'])).match(/\d+/)?.[0]);

const queueCount = async ({ folder }: PrivateServer): Promise<number> =>
  Number(
    (await rabbitmqctl(folder, ['--quiet', 'eval', 'io:format("~w", [rabbit_amqqueue:count()]).'])).match(/\d+/)?.[0],
  );

const waitsOf = (entries: LedgerEntry[]): Waits => {
  const waits = entries.map(({ acceptedAt, startedAt }) => (startedAt?.getTime() ?? Number.NaN) - acceptedAt.getTime());
  if (waits.some(Number.isNaN)) throw new Error('A request was not started.');
  return {
    requests: waits.length,
    p50: percentile(waits, 0.5),
    p99: percentile(waits, 0.99),
    longest: Math.max(...waits),
    overOneSecond: waits.filter((wait) => wait > 1_000).length,
  };
};

export const measureManyUsers = async (
  { users, lanes, ratePerSecond, seconds }: Options,
  note: (text: string) => void,
): Promise<Result> => {
  await using stack = new AsyncDisposableStack();
  const [rabbitmq, mongodb] = await Promise.all([privateRabbitmq(), privateMongodb()]);
  stack.use(rabbitmq);
  stack.use(mongodb);
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-scale-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const urls = { rabbitmqUrl: rabbitmq.url, mongodbUrl: mongodb.url };
  const config = testConfig({ ...urls, lanes, autoMigrate: 1, publishTimeoutMs: 10_000, storeTimeoutMs: 30_000 });
  const log = createLogger('error');
  const stores = openStores(config, log);
  stack.defer(() => stores.close());
  const publisher = createPublisher(config, log);
  stack.defer(() => publisher.close());
  const deps = { ...stores, publisher, config, log };

  const startConsumer = async (name: string): Promise<Consumer> => {
    const env = {
      PATH: process.env.PATH,
      MONGODB_URL: config.mongodbUrl,
      RABBITMQ_URL: config.rabbitmqUrl,
      QUEUE_PREFIX: config.queuePrefix,
      LANES: String(lanes),
      WORKERS: '1',
      AUTO_MIGRATE: '1',
      IDLE_TIMEOUT_MS: '86400000',
      PROCESSOR: processor,
      METRICS_PORT: String(await freePort()),
    };
    const logFile = join(folder, `${name}.log`);
    const onLine = (line: string): void => {
      if (/"level":[4-6]0/.test(line)) note(`${name}: ${line.slice(0, 300)}`);
    };
    const child = startChild({ name, args: ['functions/consumer.ts'], env, logFile, graceMs: 30_000, onLine });
    stack.defer(() => child.kill());
    const { pid = 0 } = child;
    // The worker owns the users, so it is the largest.
    const worker = () => descendants(pid).toSorted((a, b) => residentBytes(b) - residentBytes(a))[0] ?? pid;
    return { ...child, worker };
  };
  const consumersAt = nowMs();
  const consumers = [await startConsumer('one'), await startConsumer('two')] as const;
  const isShared = async (): Promise<boolean> => {
    const heartbeats = await stores.workers.all();
    return heartbeats.length === 2 && heartbeats.every((one) => one.lanes.length === lanes / 2);
  };
  await consumers[0].until('the lanes are shared', 120_000, isShared);
  const sharedMs = nowMs() - consumersAt;
  const broker = await brokerPid(rabbitmq);
  const memory = () => ({
    workers: consumers.map(({ worker }) => residentBytes(worker())).reduce((sum, bytes) => sum + bytes, 0),
    broker: residentBytes(broker),
  });
  const before = memory();

  const accepted: EntryId[] = [];
  const accept = async (index: number): Promise<EntryId> => {
    const reference = `user-${index % users}`;
    const userId = userIdOf(reference);
    const { seq } = await acceptRequest({ userId, reference, body: String(index) }, deps);
    accepted.push({ userId, seq });
    return { userId, seq };
  };
  const areSettled = async (ids: EntryId[]): Promise<boolean> => {
    const last = ids.slice(-500);
    return (await stores.ledger.readHeads(last)).every(({ status }) => status === 'done');
  };
  const startedAt = nowMs();
  await closedLoop({ count: users, inFlight: acceptsInFlight }, accept);
  await consumers[0].until('the first requests are settled', openTimeoutMs, () => areSettled(accepted));
  const openedMs = nowMs() - startedAt;
  note(`opened: the first requests of ${users} users are settled after ${Math.round(openedMs)} ms`);
  await consumers[0].until(
    'the queues are declared',
    openTimeoutMs,
    async () => (await queueCount(rabbitmq)) >= users + lanes,
  );
  const queuesMs = nowMs() - startedAt;
  note(`declared: ${Math.round(queuesMs)} ms`);
  await sleep(2_000);
  const after = memory();
  const brokerFiles = readdirSync(`/proc/${broker}/fd`).length;

  const offer = async (work: () => void): Promise<Waits> => {
    const sent: EntryId[] = [];
    const count = ratePerSecond * seconds;
    const call = async (index: number): Promise<void> => {
      if (index === Math.floor(count / 3)) work();
      // Far apart, so that all lanes have some.
      sent.push(await accept((index * 7_919) % users));
    };
    await openLoop({ ratePerSecond, count }, call);
    await consumers[0].until('the requests are settled', 120_000, () => areSettled(sent));
    const entries: LedgerEntry[] = [];
    for (let first = 0; first < sent.length; first += 500)
      entries.push(...(await stores.ledger.read(sent.slice(first, first + 500))));
    return waitsOf(entries);
  };
  const beforeKill = await offer(() => undefined);
  note(`before the kill: ${JSON.stringify(beforeKill)}`);
  const afterKill = await offer(() => consumers[1].kill());
  return {
    sharedMs,
    idleWorkerBytes: before.workers / consumers.length,
    idleBrokerBytes: before.broker,
    openedMs,
    queuesMs,
    workerBytesPerUser: (after.workers - before.workers) / users,
    brokerBytesPerUser: (after.broker - before.broker) / users,
    brokerFiles,
    beforeKill,
    afterKill,
  };
};

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      users: { type: 'string', default: '20000' },
      lanes: { type: 'string', default: '64' },
      rate: { type: 'string', default: '200' },
      seconds: { type: 'string', default: '15' },
    },
  });
  const { users, lanes, rate, seconds } = values;
  const options = { users: Number(users), lanes: Number(lanes), ratePerSecond: Number(rate), seconds: Number(seconds) };
  const result = await measureManyUsers(options, (text) => process.stderr.write(`${text}\n`));
  process.stdout.write(`${JSON.stringify({ ...options, ...result }, null, 2)}\n`);
}
