/** A private MongoDB server: the real mongod, or the stand-in where no mongod can be had. */
import { join } from 'node:path';
import { env as environment } from 'node:process';
import { makeFolder, noteRunning, type Running, readJson, startOnce, writeJson } from './private-server.ts';
import { freePort, isFree, mongoAnswers } from './probe.ts';
import { startDetached, untilReady } from './processes.ts';

export type MongoProgram = {
  binary: string;
  label: string;
  args(port: number, dataFolder: string): string[];
  env: Record<string, string>;
  query: string;
};

const host = '127.0.0.1';
const startTimeoutMs = 60_000;

export const mongod = (binary: string): MongoProgram => ({
  binary,
  label: `private mongod (${binary})`,
  args: (port, dataFolder) => ['--port', String(port), '--bind_ip', host, '--dbpath', dataFolder, '--quiet'],
  env: {},
  query: '',
});

/**
 * SecantusDB's Rust server. Without the extra WiredTiger setting a kill -9 loses writes that were acknowledged.
 * It reads a `secantusd.toml` in its working folder, which is therefore ours.
 */
export const standin = (binary: string, kind: string): MongoProgram => ({
  binary,
  label: `stand-in for MongoDB, ${kind} (${binary})`,
  args: (port, dataFolder) => [
    ...['--host', host, '--port', String(port), '--storage-path', dataFolder],
    ...['--cache-size', '256M', '--log-file-max', '16MB', '--write-tickets', '4', '--log-level', 'ERROR'],
  ],
  env: { SECANTUS_WT_CONFIG_EXTRA: 'transaction_sync=(enabled=true,method=none)' },
  query: '?directConnection=true',
});

/** The same port at every start, unless somebody took it meanwhile. */
const settlePort = async (folder: string): Promise<number> => {
  const file = join(folder, 'settings.json');
  const old = readJson<{ port: number }>(file);
  const port = old && (await isFree(old.port)) ? old.port : await freePort();
  writeJson(file, { port });
  return port;
};

const start = async (program: MongoProgram, folder: string): Promise<Running> => {
  const port = await settlePort(folder);
  const logFile = join(folder, 'mongodb.log');
  const started = await startDetached({
    file: program.binary,
    args: program.args(port, makeFolder(folder, 'data')),
    env: { PATH: environment.PATH ?? '/usr/bin:/bin', HOME: folder, LANG: 'C.UTF-8', ...program.env },
    folder,
    logFile,
  });
  const url = `mongodb://${host}:${port}/lanekeeper${program.query}`;
  const running: Running = { url, label: program.label, processes: [started] };
  noteRunning(folder, running);
  const isReady = () => mongoAnswers({ host, port });
  await untilReady(isReady, { what: program.label, processes: [started], logFile, timeoutMs: startTimeoutMs });
  return running;
};

/**
 * Starts a MongoDB server with its data in `folder`, or finds the one that runs there already.
 *
 * @throws {Error} with the end of its log when it does not come up.
 */
export const startMongodb = (program: MongoProgram, folder: string): Promise<Running> =>
  startOnce(folder, mongoAnswers, () => start(program, folder));
