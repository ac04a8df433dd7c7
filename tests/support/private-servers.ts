/** Servers that one test owns and may stop, kill and wipe. They run beside the shared servers and keep their ports. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { startMongodb } from '../../tools/services/mongodb.ts';
import { killServer, type Running, stopServer } from '../../tools/services/private-server.ts';
import { findRabbitmq, startRabbitmq } from '../../tools/services/rabbitmq.ts';
import { findMongoProgram, servers } from '../../tools/services/ways.ts';
import { asReplicaSet } from './replica-set.ts';

export type PrivateServer = {
  folder: string;
  /** The same after every start. */
  url: string;
  /** Starts it again with its data. */
  start(): Promise<Running>;
  /** A clean shutdown. */
  stop(): Promise<boolean>;
  /** SIGKILL. */
  kill(): Promise<boolean>;
  /** Deletes all data of a stopped server. The next start uses the same port and password. */
  wipe(): void;
  [Symbol.asyncDispose](): Promise<void>;
};

const root = join(import.meta.dirname, '..', '..');

const open = async (
  name: string,
  dataFolder: string,
  startIn: (folder: string) => Promise<Running>,
): Promise<PrivateServer> => {
  const folder = mkdtempSync(join(tmpdir(), `lanekeeper-${name}-`));
  const { url } = await startIn(folder);
  return {
    folder,
    url,
    start: () => startIn(folder),
    stop: () => stopServer(folder),
    kill: () => killServer(folder),
    wipe: () => rmSync(join(folder, dataFolder), { recursive: true, force: true }),
    async [Symbol.asyncDispose]() {
      await killServer(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

/** @param serverArgs arguments of the Erlang machine, such as `-rabbit channel_max 5`. */
export const privateRabbitmq = (serverArgs = ''): Promise<PrivateServer> => {
  const binary = findRabbitmq();
  if (!binary) throw new Error(servers.rabbitmq.remedy);
  return open('rabbitmq', 'mnesia', (folder) => {
    writeFileSync(join(folder, 'rabbitmq-env.conf'), `SERVER_START_ARGS="${serverArgs}"\n`);
    return startRabbitmq(binary, folder);
  });
};

/** The search runs once, because it takes seconds even where no download is possible. */
let search: ReturnType<typeof findMongoProgram> | undefined;

export const privateMongodb = async (): Promise<PrivateServer> => {
  search ??= findMongoProgram(root, env);
  const program = asReplicaSet(await search);
  return open('mongodb', 'data', (folder) => startMongodb(program, folder));
};
