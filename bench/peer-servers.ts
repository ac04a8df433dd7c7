/** Redis and PostgreSQL from Debian's packages, for the peers: private, in a folder, and as durable as they can be. */
import { chownSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process, { getuid } from 'node:process';
import { execa } from 'execa';
import { makeFolder, noteRunning, type Running, settingsOf } from '../tools/services/private-server.ts';
import { findBinary, type StartedProcess, startDetached, untilReady } from '../tools/services/processes.ts';

const host = '127.0.0.1';
const startTimeoutMs = 30_000;
const usual = { PATH: process.env.PATH ?? '/usr/bin:/bin', LANG: 'C.UTF-8' };

const need = (name: string, debianPackage: string, folders?: string[]): string => {
  const file = findBinary(name, folders);
  if (!file)
    throw new Error(`There is no ${name}: apt-get install ${debianPackage}, or leave its peers out (--peers).`);
  return file;
};

type Launch = { name: string; file: string; args: string[]; folder: string; url: string; label: string };

const launch = async (
  { name, file, args, folder, url, label }: Launch,
  isReady: () => Promise<boolean>,
): Promise<Running> => {
  const logFile = join(folder, `${name}.log`);
  const started: StartedProcess = await startDetached({ file, args, env: { ...usual, HOME: folder }, folder, logFile });
  const running: Running = { url, label, processes: [started] };
  noteRunning(folder, running);
  await untilReady(isReady, { what: name, processes: [started], logFile, timeoutMs: startTimeoutMs });
  return running;
};

const succeeds = async (file: string, args: string[]): Promise<boolean> =>
  !(await execa(file, args, { reject: false })).failed;

export const startRedis = async (folder: string): Promise<Running> => {
  const file = need('redis-server', 'redis-server');
  const port = String((await settingsOf(folder, ['redis'])).ports.redis);
  const listening = ['--bind', host, '--port', port, '--dir', makeFolder(folder, 'data'), '--maxclients', '10000'];
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--maxmemory-policy', 'noeviction'];
  const url = `redis://${host}:${port}`;
  const label = 'Redis, appendfsync always';
  return launch({ name: 'redis', file, args: [...listening, ...durable], folder, url, label }, () =>
    succeeds(need('redis-cli', 'redis-tools'), ['-p', port, 'ping']),
  );
};

/** Debian has the programs of each version in a folder of its own. */
const folderOfPostgres = async (): Promise<string> => {
  const config = findBinary('pg_config');
  if (config) return (await execa(config, ['--bindir'])).stdout;
  const { stdout } = await execa('sh', ['-c', 'ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1'], {
    reject: false,
  });
  return stdout;
};

/** PostgreSQL refuses to run as root. Debian's package has made a user for it. */
const asItsUser = async (folder: string, command: string[]): Promise<[string, string[]]> => {
  const [file = '', ...args] = command;
  if (getuid?.() !== 0) return [file, args];
  const ids = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await execa('id', [flag, 'postgres'])).stdout)),
  );
  const [uid = 0, gid = 0] = ids;
  // The folder above is the benchmark's, and only its owner may pass it.
  for (const path of [dirname(folder), folder]) chownSync(path, uid, gid);
  return [need('setpriv', 'util-linux'), [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...command]];
};

export const startPostgres = async (folder: string): Promise<Running> => {
  const programs = await folderOfPostgres();
  const postgres = need('postgres', 'postgresql', [programs]);
  const port = String((await settingsOf(folder, ['postgres'])).ports.postgres);
  const data = join(folder, 'data');
  const init = [
    need('initdb', 'postgresql', [programs]),
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C.UTF-8',
  ];
  const [initdb, initArgs] = await asItsUser(folder, init);
  await execa(initdb, initArgs, { cwd: folder });
  const settings = {
    fsync: 'on',
    synchronous_commit: 'on',
    max_connections: '300',
    shared_buffers: '512MB',
    listen_addresses: host,
    unix_socket_directories: '',
    port,
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const [file, args] = await asItsUser(folder, [postgres, '-D', data, ...options]);
  const url = `postgres://postgres@${host}:${port}/postgres`;
  const label = 'PostgreSQL, synchronous_commit on';
  return launch({ name: 'postgres', file, args, folder, url, label }, () =>
    succeeds(need('pg_isready', 'postgresql', [programs]), ['-h', host, '-p', port, '-U', 'postgres']),
  );
};
