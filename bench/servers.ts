/** Servers of the benchmark's own, on loopback: no other work is counted, and nothing is left behind. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import mongoose from 'mongoose';
import { root } from '../tools/run-tool.ts';
import { type MongoProgram, startMongodb } from '../tools/services/mongodb.ts';
import { type Running, stopServer } from '../tools/services/private-server.ts';
import { findRabbitmq, rabbitmqctl, startRabbitmq } from '../tools/services/rabbitmq.ts';
import { administrator } from '../tools/services/rabbitmq-users.ts';
import { findMongoProgram } from '../tools/services/ways.ts';
import { brokerQuestion, type Counts, countStatements, parseBrokerAnswer } from './counts.ts';
import { startPostgres, startRedis } from './peer-servers.ts';

/** How the stand-in syncs its log. `none`: a crash of the machine may lose the last writes. mongod has its own way. */
export const syncs = ['none', 'fsync'] as const;
export type Sync = (typeof syncs)[number];

export type ServerName = 'rabbitmq' | 'mongodb' | 'redis' | 'postgres';

export type BenchServers = Awaited<ReturnType<typeof startServers>>;

/** The built stand-in before mongod: the figures in docs/performance.md are from it. */
const preferred = ['named', 'built', 'installed', 'wheel'];

const syncing =
  (program: MongoProgram, sync: Sync): MongoProgram =>
  (port, folder) => {
    const launch = program(port, folder);
    const setting = { SECANTUS_WT_CONFIG_EXTRA: `transaction_sync=(enabled=true,method=${sync})` };
    return launch.env?.SECANTUS_WT_CONFIG_EXTRA ? { ...launch, env: { ...launch.env, ...setting } } : launch;
  };

const binary = (text: string): string => `<<"${text}">>`;

/** For `rabbitmqctl eval`, which costs a second: one call in the place of two commands. */
const addHost = (name: string): string =>
  `rabbit_vhost:add(${binary(name)}, ${binary('bench')}), rabbit_auth_backend_internal:set_permissions(${[
    ...[administrator, name, '.*', '.*', '.*', 'bench'].map(binary),
  ]}).`;
const deleteHost = (name: string): string => `rabbit_vhost:delete(${binary(name)}, ${binary('bench')}).`;

/** @throws {Error} when a server is not installed, or does not start. */
export const startServers = async (wanted: ServerName[], wantedSyncs: Sync[]) => {
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-bench-'));
  const folderOf = (name: string): string => join(folder, name);
  const started = new Map<string, Running>();
  const stopEach: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(stopEach.map((stopOne) => stopOne()));
    // After Ctrl-C the measured processes still write their logs for a moment.
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  };
  const note = async (name: string, starting: Promise<Running>): Promise<void> => {
    stopEach.push(() => stopServer(folderOf(name)));
    started.set(name, await starting);
  };
  const starts: { [Name in ServerName]: () => Promise<unknown> } = {
    rabbitmq: async () => {
      const program = findRabbitmq();
      if (!program) throw new Error('The benchmark starts a RabbitMQ of its own. Install rabbitmq-server.');
      await note('rabbitmq', startRabbitmq(program, folderOf('rabbitmq')));
    },
    mongodb: async () => {
      const program = await findMongoProgram(root, env, preferred);
      const start = (sync: Sync) =>
        note(`mongodb-${sync}`, startMongodb(syncing(program, sync), folderOf(`mongodb-${sync}`)));
      await Promise.all(wantedSyncs.map(start));
    },
    redis: () => note('redis', startRedis(folderOf('redis'))),
    postgres: () => note('postgres', startPostgres(folderOf('postgres'))),
  };
  const runningOf = (name: string): Running => {
    const running = started.get(name);
    if (!running) throw new Error(`The benchmark has not started ${name}.`);
    return running;
  };
  const clients = new Map<Sync, mongoose.mongo.MongoClient>();
  try {
    await Promise.all(wanted.map((name) => starts[name]()));
    if (wanted.includes('mongodb')) {
      for (const sync of wantedSyncs) {
        const client = await new mongoose.mongo.MongoClient(runningOf(`mongodb-${sync}`).url).connect();
        clients.set(sync, client);
        stopEach.unshift(() => client.close());
      }
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const clientOf = (sync: Sync) => clients.get(sync) as mongoose.mongo.MongoClient;
  const urlOn = (name: string, path: string): string =>
    started.has(name) ? Object.assign(new URL(runningOf(name).url), { pathname: `/${path}` }).href : '';
  return {
    /** For logs and sockets. */
    folder,
    labels: [...started].map(([name, { label }]) => `${name}: ${label}`),
    pidsOf: (name: ServerName, sync: Sync): number[] =>
      started.get(name === 'mongodb' ? `mongodb-${sync}` : name)?.processes.map(({ pid }) => pid) ?? [],
    /** What a trial of this name may use. Its virtual host and its database are empty. */
    makePlace: async (name: string, sync: Sync) => {
      if (started.has('rabbitmq')) await rabbitmqctl(folderOf('rabbitmq'), ['--quiet', 'eval', addHost(name)]);
      return {
        name,
        rabbitmqUrl: urlOn('rabbitmq', name),
        mongodbUrl: urlOn(`mongodb-${sync}`, name),
        redisUrl: urlOn('redis', ''),
        postgresUrl: urlOn('postgres', 'postgres'),
      };
    },
    removePlace: async (name: string, sync: Sync): Promise<void> => {
      if (started.has('rabbitmq')) await rabbitmqctl(folderOf('rabbitmq'), ['--quiet', 'eval', deleteHost(name)]);
      await clients.get(sync)?.db(name).dropDatabase();
    },
    database: (name: string, sync: Sync) => clientOf(sync).db(name),
    statements: (sync: Sync): Promise<Counts> => countStatements(clientOf(sync)),
    brokerOperations: async (): Promise<Counts> =>
      parseBrokerAnswer(await rabbitmqctl(folderOf('rabbitmq'), ['--quiet', 'eval', brokerQuestion])),
    stop,
  };
};
