/** A private MongoDB server: mongod, or the stand-in where there is no mongod. */
import { join } from 'node:path';
import { env as environment } from 'node:process';
import { makeFolder, noteRunning, type Running, settingsOf, startOnce } from './private-server.ts';
import { probeMongodb } from './probe.ts';
import { startDetached, untilReady } from './processes.ts';

const host = '127.0.0.1';
const startTimeoutMs = 60_000;

/** How a program is started. */
type Launch = {
  binary: string;
  label: string;
  args: string[];
  env?: Record<string, string>;
  query?: string;
  /** Called until the server is ready. May reject while it is starting. */
  initiate?(url: string): Promise<void>;
};

export type MongoProgram = (port: string, dataFolder: string) => Launch;

const start = async (program: MongoProgram, folder: string): Promise<Running> => {
  const { ports } = await settingsOf(folder, ['mongodb']);
  const launch = program(String(ports.mongodb), makeFolder(folder, 'data'));
  const { binary, label, args, env, query = '', initiate } = launch;
  const usual = { PATH: environment.PATH ?? '/usr/bin:/bin', HOME: folder, LANG: 'C.UTF-8' };
  const logFile = join(folder, 'mongodb.log');
  const started = await startDetached({ file: binary, args, env: { ...usual, ...env }, folder, logFile });
  const url = `mongodb://${host}:${ports.mongodb}/lanekeeper${query}`;
  const running: Running = { url, label, processes: [started] };
  noteRunning(folder, running);
  const awaited = { what: label, processes: [started], logFile, timeoutMs: startTimeoutMs };
  const isReady = async () => {
    await initiate?.(url).catch(() => undefined);
    return !(await probeMongodb(url));
  };
  await untilReady(isReady, awaited);
  return running;
};

/** Starts a MongoDB server with its data in `folder`, or finds it running there. Rejects with the end of its log. */
export const startMongodb = (program: MongoProgram, folder: string): Promise<Running> =>
  startOnce(folder, probeMongodb, () => start(program, folder));

export const mongod =
  (binary: string): MongoProgram =>
  (port, dataFolder) => ({
    binary,
    label: `private mongod (${binary})`,
    args: ['--port', port, '--bind_ip', host, '--dbpath', dataFolder, '--quiet'],
  });

/**
 * SecantusDB's Rust server. Without the extra WiredTiger setting, a kill -9 loses acknowledged writes. It reads a
 * `secantusd.toml` in its working folder, so that folder must be ours.
 */
export const standin =
  (binary: string, origin: string): MongoProgram =>
  (port, dataFolder) => ({
    binary,
    label: `stand-in for MongoDB, ${origin} (${binary})`,
    args: [
      ...['--host', host, '--port', port, '--storage-path', dataFolder],
      ...['--cache-size', '256M', '--log-file-max', '16MB', '--write-tickets', '4', '--log-level', 'ERROR'],
    ],
    env: { SECANTUS_WT_CONFIG_EXTRA: 'transaction_sync=(enabled=true,method=none)' },
    query: '?directConnection=true',
  });
