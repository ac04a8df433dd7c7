/** Servers of one test's own, to stop, kill and wipe; beside the shared ones, on ports that stay theirs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { startMongodb } from '../../tools/services/mongodb.ts';
import { killServer, type Running, stopServer } from '../../tools/services/private-server.ts';
import { findRabbitmq, startRabbitmq } from '../../tools/services/rabbitmq.ts';
import { findMongoProgram, servers } from '../../tools/services/ways.ts';

export type PrivateServer = {
  folder: string;
  /** The same after every start. */
  url: string;
  /** Starts it with the data that it had. */
  start(): Promise<Running>;
  /** As an administrator would. */
  stop(): Promise<boolean>;
  /** SIGKILL. */
  kill(): Promise<boolean>;
  /** While it is stopped: all its data is gone at the next start; port and password stay. */
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

export const privateRabbitmq = (): Promise<PrivateServer> => {
  const binary = findRabbitmq();
  if (!binary) throw new Error(servers.rabbitmq.remedy);
  return open('rabbitmq', 'mnesia', (folder) => startRabbitmq(binary, folder));
};

/** Looked for once: where a download is refused, even that takes seconds. */
let program: ReturnType<typeof findMongoProgram> | undefined;

export const privateMongodb = async (): Promise<PrivateServer> => {
  program ??= findMongoProgram(root, env);
  const found = await program;
  return open('mongodb', 'data', (folder) => startMongodb(found, folder));
};
