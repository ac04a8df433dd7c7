/** A RabbitMQ and a MongoDB of the benchmark's own: nobody else's work counts, and nothing of it stays. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import mongoose from 'mongoose';
import { findBinary } from '../services/binaries.ts';
import { runCommand } from '../services/commands.ts';
import { type MongoProgram, mongod, standin, startMongodb } from '../services/mongodb.ts';
import { makeFolder, readJson, stopServer } from '../services/private-server.ts';
import { findRabbitmq, startRabbitmq } from '../services/rabbitmq.ts';
import { builtStandin, wheelStandin } from '../services/standin.ts';
import { brokerQuestion, type Counts, countStatements, parseBrokerAnswer } from './counts.ts';

export type BenchServers = {
  rabbitmqUrl: string;
  /** The URL of this database. */
  mongodbUrl(database: string): string;
  /** What they are, for the report. */
  labels: string[];
  /** For logs and profiles. */
  folder: string;
  statements(): Promise<Counts>;
  brokerOperations(): Promise<Counts>;
  stop(): Promise<void>;
};

const root = join(import.meta.dirname, '..', '..');

/** The built stand-in first: its figures are the ones that are kept. */
const findMongoProgram = async (): Promise<MongoProgram> => {
  if (env.MONGO_STANDIN) return standin(env.MONGO_STANDIN, 'named in MONGO_STANDIN');
  const built = builtStandin(root);
  if (built) return standin(built, 'built');
  const installed = findBinary('mongod');
  return installed ? mongod(installed) : standin(await wheelStandin(root), 'wheel: slower with every document');
};

const askTimeoutMs = 60_000;

const askBroker = async (folder: string): Promise<Counts> => {
  const file = findBinary('rabbitmqctl', ['/usr/lib/rabbitmq/bin']);
  if (!file) throw new Error('rabbitmqctl, which comes with RabbitMQ, is not in PATH.');
  const settings = readJson<{ ports: { epmd: number } }>(join(folder, 'settings.json'));
  const answer = await runCommand(file, ['--quiet', 'eval', brokerQuestion], {
    timeoutMs: askTimeoutMs,
    env: {
      PATH: env.PATH,
      LANG: 'C.UTF-8',
      HOME: join(folder, 'home'),
      ERL_EPMD_PORT: String(settings?.ports.epmd),
      RABBITMQ_NODENAME: 'lanekeeper@localhost',
      RABBITMQ_CONF_ENV_FILE: join(folder, 'rabbitmq-env.conf'),
    },
  });
  return parseBrokerAnswer(answer);
};

const withDatabase = (url: string, database: string): string => {
  const named = new URL(url);
  named.pathname = `/${database}`;
  return named.href;
};

/** @throws {Error} when there is no RabbitMQ to be started, or one of both does not come up. */
export const startServers = async (): Promise<BenchServers> => {
  const rabbitmq = findRabbitmq();
  if (!rabbitmq) throw new Error('The benchmark starts a RabbitMQ of its own: install rabbitmq-server.');
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-bench-'));
  const folders = { mongodb: makeFolder(folder, 'mongodb'), rabbitmq: makeFolder(folder, 'rabbitmq') };
  const stop = async () => {
    await Promise.all(Object.values(folders).map(stopServer));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const [mongodb, broker] = await Promise.all([
      startMongodb(await findMongoProgram(), folders.mongodb),
      startRabbitmq(rabbitmq, folders.rabbitmq),
    ]);
    const client = await new mongoose.mongo.MongoClient(mongodb.url).connect();
    return {
      rabbitmqUrl: broker.url,
      mongodbUrl: (database) => withDatabase(mongodb.url, database),
      labels: [mongodb.label, broker.label],
      folder,
      statements: () => countStatements(client),
      brokerOperations: () => askBroker(folders.rabbitmq),
      stop: async () => {
        await client.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
