/**
 * Opens many users on two workers, and then kills one of them: how long it takes to open them, what each costs in memory and
 * descriptors, and how long the requests of all users wait for a start after the kill. Private servers.
 *
 *     node --no-warnings tests/scale/many-users.ts --users 20000
 */
import { readdirSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { EntryId, LedgerEntry } from '../../lib/types.ts';
import type { Child } from '../../tools/child.ts';
import { closedLoop, nowMs, openLoop } from '../../tools/load.ts';
import { rabbitmqctl } from '../../tools/services/rabbitmq.ts';
import type { PrivateServer } from '../support/private-servers.ts';
import { type Note, openDeployment } from './deployment.ts';
import { percentile } from './percentile.ts';
import { brokerPid, familyOf, residentBytes } from './processes.ts';

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

/** The worker owns the users, so it is the largest. */
const workerOf = ({ pid = 0 }: Child): number =>
  familyOf(pid).toSorted((one, other) => residentBytes(other) - residentBytes(one))[0] ?? pid;

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
  note: Note,
): Promise<Result> => {
  await using deployment = await openDeployment({ lanes, publishTimeoutMs: 10_000, storeTimeoutMs: 30_000 }, note);
  const { rabbitmq, stores, areSettled } = deployment;
  const startConsumer = (name: string) => deployment.startConsumer(name, { IDLE_TIMEOUT_MS: '86400000' });
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
    workers: consumers.map((one) => residentBytes(workerOf(one))).reduce((sum, bytes) => sum + bytes, 0),
    broker: residentBytes(broker),
  });
  const before = memory();

  const accepted: EntryId[] = [];
  const accept = async (index: number): Promise<EntryId> => {
    const id = await deployment.accept(index % users, String(index));
    accepted.push(id);
    return id;
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
