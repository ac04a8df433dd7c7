/** One contender with its processes on the servers: is opened, takes one load after another, and is closed. */
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Spec } from './contenders.ts';
import { type Counts, difference } from './counts.ts';
import { cpuMsOf } from './cpu.ts';
import { isClean, judge, type Sent, type Verdict } from './judge.ts';
import { type Consumer, type Settings, startApi, startConsumers } from './lanekeeper.ts';
import { openRunLog, type Run } from './runs.ts';
import type { BenchServers, Sync } from './servers.ts';
import type { Offer, Order } from './side.ts';
import { monotonicMs, type Place } from './sides.ts';

export type TrialOptions = {
  users: number;
  idleUsers?: number;
  sync: Sync;
  /** Of Lanekeeper: how many consumers, and other settings than the usual. */
  consumers?: number;
  settings?: Settings;
};

export type CpuGroup = 'client' | 'workers' | 'api' | 'mongodb' | 'rabbitmq' | 'redis' | 'postgres';

/** Times are ms of the monotonic clock. Fields that end in `PerRequest` are divided by the number of jobs. */
export type Measured = {
  startedAt: number;
  sent: Sent[];
  runs: Run[];
  acceptedPerSecond: number;
  endToEndPerSecond: number;
  cpuMsPerRequest: Record<CpuGroup, number>;
  statementsPerRequest: Counts;
  verdict: Verdict;
};

/** Two workers for each contender, as two cores have room for. */
const workers = 2;
/** Jobs that have not run after this long without any run count as lost. */
const patienceMs = 60_000;
const pollMs = 5;

/** A process that takes orders. */
const openSide = (role: 'client' | 'worker', spec: Spec) => {
  const args = [role, join(import.meta.dirname, spec.file)];
  const child: ChildProcess = fork(join(import.meta.dirname, 'side.ts'), args, {
    execArgv: ['--no-warnings'],
    serialization: 'advanced',
  });
  const waiting = new Map<string, PromiseWithResolvers<unknown>>();
  child.on('message', ({ id, value, error }: { id: string; value?: unknown; error?: string }) => {
    if (error === undefined) waiting.get(id)?.resolve(value);
    else waiting.get(id)?.reject(new Error(`${spec.name}: ${error}`));
    waiting.delete(id);
  });
  child.once('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`${spec.name}: its ${role} ended with code ${code}.`));
  });
  return {
    pid: child.pid as number,
    order: async <T>(order: Order): Promise<T> => {
      const id = randomUUID();
      const answer = Promise.withResolvers<unknown>();
      waiting.set(id, answer);
      // To a process that has ended. Without a callback that is an uncaught error, and the servers would be left running.
      child.send({ id, order }, (error) => {
        if (error) answer.reject(error);
      });
      return answer.promise as Promise<T>;
    },
    end: (): void => void child.kill('SIGKILL'),
  };
};

type Side = ReturnType<typeof openSide>;

/** The number of requests in Lanekeeper's ledger that are not settled. */
const unsettledIn = (servers: BenchServers, place: Place, sync: Sync): Promise<number> =>
  servers
    .database(place.name, sync)
    .collection('requests')
    .countDocuments({ status: { $in: ['queued', 'processing'] } });

export type Trial = Awaited<ReturnType<typeof openTrial>>;

let trials = 0;

/** @param spec whose packages are installed. */
export const openTrial = async (spec: Spec, servers: BenchServers, options: TrialOptions) => {
  const { users, idleUsers = 0, sync, settings } = options;
  trials += 1;
  const name = `t${trials}-${spec.name}`.replaceAll('.', '-').slice(0, 30);
  const sides: Side[] = [];
  const runsPath = join(servers.folder, `${name}.sock`);
  const log = await openRunLog(runsPath);
  const checkout = spec.product?.checkout ?? '';
  const bare = await servers.makePlace(name, sync);
  const place: Place = { ...bare, users, idleUsers, workers, checkout, apiUrl: '' };
  const start = { place, runsPath, folder: servers.folder, settings };
  let consumers: Consumer[] = [];
  let api: Awaited<ReturnType<typeof startApi>> | undefined;
  const close = async (): Promise<void> => {
    await Promise.allSettled(sides.map((side) => side.order({ kind: 'close' })));
    for (const side of sides) side.end();
    await Promise.all([...consumers, ...(api ? [api] : [])].map(({ child }) => child.stop()));
    log.close();
    await servers.removePlace(name, sync);
  };

  const openSides = async (): Promise<void> => {
    if (spec.product?.api) {
      api = await startApi(start);
      place.apiUrl = api.url;
    }
    const openOne = async (role: 'client' | 'worker', index: number): Promise<void> => {
      const side = openSide(role, spec);
      sides.push(side);
      await side.order({ kind: 'open', place, index, runsPath });
    };
    await openOne('client', 0);
    if (spec.product) consumers = await startConsumers(start, options.consumers);
    else await Promise.all(Array.from({ length: workers }, (_, index) => openOne('worker', index)));
  };
  try {
    await openSides();
  } catch (error) {
    await close();
    throw error;
  }
  const [client, ...others] = sides as [Side, ...Side[]];
  const unsettled = (): Promise<number> =>
    spec.product ? unsettledIn(servers, place, sync) : client.order({ kind: 'unsettled' });
  const pids: Record<CpuGroup, number[]> = {
    client: [client.pid],
    workers: [...others, ...consumers].map(({ pid }) => pid),
    api: api ? [api.pid] : [],
    mongodb: servers.pidsOf('mongodb', sync),
    rabbitmq: servers.pidsOf('rabbitmq', sync),
    redis: servers.pidsOf('redis', sync),
    postgres: servers.pidsOf('postgres', sync),
  };
  const countStatements = async (): Promise<Counts> => (spec.needs.includes('mongodb') ? servers.statements(sync) : {});

  /** Resolves when all have run, or when nothing has run for too long. */
  const untilRun = async (count: number): Promise<void> => {
    let [seen, seenAt] = [0, monotonicMs()];
    while (log.runs().length < count && monotonicMs() - seenAt < patienceMs) {
      await sleep(pollMs);
      if (log.runs().length > seen) [seen, seenAt] = [log.runs().length, monotonicMs()];
    }
  };
  const untilSettled = async (): Promise<number> => {
    const from = monotonicMs();
    for (;;) {
      const askedAt = monotonicMs();
      if ((await unsettled()) === 0) return askedAt;
      if (monotonicMs() - from > patienceMs)
        throw new Error(`${spec.name}: ${await unsettled()} jobs were not settled.`);
      await sleep(pollMs);
    }
  };
  let sentOfEach = 0;

  return {
    spec,
    place,
    log,
    consumers,
    /** Sends, and does not wait for the runs. */
    send: async (load: Offer): Promise<Sent[]> => {
      const firstN = sentOfEach;
      sentOfEach += Math.ceil(load.count / load.users);
      return client.order({ kind: 'load', load: { ...load, firstN } });
    },
    untilRun,
    untilSettled,
    countStatements,
    cpuMs: () => cpuMsOf(pids),
    /** Sends, waits for the last settlement, and judges. */
    async measure(load: Offer): Promise<Measured> {
      log.forget();
      const [statements, cpu, startedAt] = [await countStatements(), cpuMsOf(pids), monotonicMs()];
      const sent = await this.send(load);
      const answeredAt = Math.max(...sent.map((job) => job.answeredAt));
      await untilRun(sent.length);
      const settledAt = await untilSettled();
      const cpuAfter = cpuMsOf(pids);
      const runs = log.runs();
      const endedAt = Math.max(settledAt, ...runs.map((run) => run.endedAt));
      const { length } = sent;
      const groups = Object.keys(pids) as CpuGroup[];
      const perRequest = groups.map((group) => [group, (cpuAfter[group] - cpu[group]) / length]);
      return {
        startedAt,
        sent,
        runs,
        acceptedPerSecond: (length * 1_000) / (answeredAt - startedAt),
        endToEndPerSecond: (length * 1_000) / (endedAt - startedAt),
        cpuMsPerRequest: Object.fromEntries(perRequest),
        statementsPerRequest: difference(await countStatements(), statements, length),
        verdict: judge(sent, runs),
      };
    },
    close,
  };
};

/**
 * A few jobs that take 5 or 20 ms each: code gets warm, connections open, and jobs wait for each other, so that a wrong order shows. An odd number of users: RabbitMQ
 * deals the messages of one queue out in turns, so that the long jobs come to one worker, and the short ones of the same users to the other.
 */
const warmUp = { each: 10, holdMs: 5, users: 19 };

/**
 * Warms a trial up, and judges it. @throws {Error} when a contender that promises order breaks it, or the judge finds nothing wrong with one that
 * keeps no order.
 */
export const warm = async (trial: Trial): Promise<Verdict> => {
  const users = Math.min(trial.place.users, warmUp.users);
  const { verdict } = await trial.measure({ users, count: users * warmUp.each, holdMs: warmUp.holdMs, inFlight: 64 });
  const { name, keepsOrder } = trial.spec;
  if (keepsOrder && !isClean(verdict)) throw new Error(`${name} breaks its promises: ${JSON.stringify(verdict)}`);
  if (!keepsOrder && isClean(verdict))
    throw new Error(`The judge finds nothing wrong with ${name}, which keeps no order.`);
  return verdict;
};
