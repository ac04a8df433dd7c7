/** A RabbitMQ and a MongoDB of the benchmark's own: no other work is counted, and nothing is left behind. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import mongoose from 'mongoose';
import { root } from '../run-tool.ts';
import { startMongodb } from '../services/mongodb.ts';
import { stopServer } from '../services/private-server.ts';
import { findRabbitmq, rabbitmqctl, startRabbitmq } from '../services/rabbitmq.ts';
import { findMongoProgram } from '../services/ways.ts';
import { brokerQuestion, type Counts, countStatements, parseBrokerAnswer } from './counts.ts';

export type BenchServers = Awaited<ReturnType<typeof startServers>>;

/** The built stand-in before mongod: the figures in docs/performance.md are from it. */
const preferred = ['named', 'built', 'installed', 'wheel'];

/** @throws {Error} when there is no RabbitMQ on this machine, or a server does not start. */
export const startServers = async () => {
  const binary = findRabbitmq();
  if (!binary) throw new Error('The benchmark starts a RabbitMQ of its own. Install rabbitmq-server.');
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-bench-'));
  const [rabbitmqFolder, mongodbFolder] = [join(folder, 'rabbitmq'), join(folder, 'mongodb')];
  const stop = async (): Promise<void> => {
    await Promise.all([rabbitmqFolder, mongodbFolder].map(stopServer));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const [broker, mongodb] = await Promise.all([
      startRabbitmq(binary, rabbitmqFolder),
      findMongoProgram(root, env, preferred).then((program) => startMongodb(program, mongodbFolder)),
    ]);
    const client = await new mongoose.mongo.MongoClient(mongodb.url).connect();
    return {
      rabbitmqUrl: broker.url,
      mongodbUrl: (database: string): string => Object.assign(new URL(mongodb.url), { pathname: `/${database}` }).href,
      /** What they are, for the report. */
      labels: [mongodb.label, broker.label],
      /** For logs. */
      folder,
      statements: (): Promise<Counts> => countStatements(client),
      brokerOperations: async (): Promise<Counts> =>
        parseBrokerAnswer(await rabbitmqctl(rabbitmqFolder, ['--quiet', 'eval', brokerQuestion])),
      stop: () => client.close().then(stop),
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
