/** A private RabbitMQ: everything it reads, writes and listens on lies in one folder or on a port of its own. */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { env as environment } from 'node:process';
import { findBinary } from './binaries.ts';
import { makeFolder, noteRunning, type Running, readJson, startOnce, writeJson } from './private-server.ts';
import { accepts, amqpAnswers, freePort, isFree } from './probe.ts';
import { processOf, type StartedProcess, startDetached, untilReady } from './processes.ts';

type Settings = { password: string; cookie: string; ports: { amqp: number; distribution: number; epmd: number } };

const user = 'lanekeeper';
const host = '127.0.0.1';
/** A cold Erlang on a busy machine takes its time. */
const startTimeoutMs = 90_000;

/** Debian's wrapper in /usr/sbin changes folder and user; the script behind it does not. */
export const findRabbitmq = (): string | undefined =>
  findBinary('rabbitmq-server', ['/usr/lib/rabbitmq/bin', '/opt/homebrew/sbin', '/usr/local/sbin']);

const newPorts = async () => ({ amqp: await freePort(), distribution: await freePort(), epmd: await freePort() });

/** The same ports and password at every start, unless somebody took a port meanwhile. */
const settle = async (folder: string): Promise<Settings> => {
  const file = join(folder, 'settings.json');
  const old = readJson<Settings>(file);
  const arePortsFree = old && (await Promise.all(Object.values(old.ports).map(isFree))).every(Boolean);
  const settings: Settings = {
    password: old?.password ?? randomBytes(18).toString('base64url'),
    cookie: old?.cookie ?? randomBytes(18).toString('hex'),
    ports: old && arePortsFree ? old.ports : await newPorts(),
  };
  writeJson(file, settings);
  return settings;
};

/** With definitions, RabbitMQ makes no guest. */
const writeDefinitions = (folder: string, settings: Settings): void =>
  writeJson(join(folder, 'definitions.json'), {
    users: [{ name: user, password: settings.password, tags: 'administrator' }],
    vhosts: [{ name: '/' }],
    permissions: [{ user, vhost: '/', configure: '.*', write: '.*', read: '.*' }],
  });

const writeCookie = (folder: string, settings: Settings): void => {
  const file = join(makeFolder(folder, 'home'), '.erlang.cookie');
  rmSync(file, { force: true });
  writeFileSync(file, settings.cookie);
  chmodSync(file, 0o400);
};

const writeConfiguration = (folder: string, settings: Settings): void => {
  writeDefinitions(folder, settings);
  writeCookie(folder, settings);
  writeFileSync(join(folder, 'rabbitmq.conf'), `load_definitions = ${join(folder, 'definitions.json')}\n`);
  writeFileSync(join(folder, 'enabled_plugins'), '[].\n');
};

/** Every path and port is said: what is not said comes from /etc, or collides with another RabbitMQ. */
const serverEnvironment = (folder: string, settings: Settings): Record<string, string> => ({
  PATH: environment.PATH ?? '/usr/bin:/bin',
  LANG: 'C.UTF-8',
  HOME: join(folder, 'home'),
  ERL_EPMD_PORT: String(settings.ports.epmd),
  ERL_EPMD_ADDRESS: host,
  RABBITMQ_NODENAME: 'lanekeeper@localhost',
  RABBITMQ_NODE_IP_ADDRESS: host,
  RABBITMQ_NODE_PORT: String(settings.ports.amqp),
  RABBITMQ_DIST_PORT: String(settings.ports.distribution),
  RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
  RABBITMQ_MNESIA_BASE: makeFolder(folder, 'mnesia'),
  RABBITMQ_LOG_BASE: makeFolder(folder, 'log'),
  RABBITMQ_PID_FILE: join(folder, 'rabbitmq.pid'),
  RABBITMQ_CONF_ENV_FILE: join(folder, 'rabbitmq-env.conf'),
  RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
  RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
  RABBITMQ_GENERATED_CONFIG_DIR: makeFolder(folder, 'generated'),
});

/** Started by us and not by the node, because the one that a node starts is a daemon that nobody can name afterwards. */
const startEpmd = async (folder: string, settings: Settings): Promise<StartedProcess> => {
  const binary = findBinary('epmd');
  if (!binary) throw new Error('epmd, the port mapper that comes with Erlang, is not in PATH.');
  const logFile = join(folder, 'epmd.log');
  const args = ['-port', String(settings.ports.epmd), '-address', host];
  const epmd = await startDetached({ file: binary, args, env: { LANG: 'C' }, folder, logFile });
  const answers = () => accepts({ host, port: settings.ports.epmd });
  await untilReady(answers, { what: 'epmd', processes: [epmd], logFile, timeoutMs: 10_000 });
  return epmd;
};

/** The script that we started waits for the Erlang machine, whose pid it is that SIGTERM stops cleanly. */
const erlangOf = (folder: string): StartedProcess => {
  const file = join(folder, 'rabbitmq.pid');
  if (!existsSync(file)) throw new Error(`RabbitMQ wrote no ${file}.`);
  return processOf(Number(readFileSync(file, 'utf8').trim()));
};

const start = async (binary: string, folder: string): Promise<Running> => {
  const settings = await settle(folder);
  writeConfiguration(folder, settings);
  rmSync(join(folder, 'rabbitmq.pid'), { force: true });
  const url = `amqp://${user}:${settings.password}@${host}:${settings.ports.amqp}`;
  const label = `private RabbitMQ (${binary})`;
  const epmd = await startEpmd(folder, settings);
  noteRunning(folder, { url, label, processes: [epmd] });
  const logFile = join(folder, 'rabbitmq.log');
  const env = serverEnvironment(folder, settings);
  const script = await startDetached({ file: binary, args: [], env, folder, logFile });
  noteRunning(folder, { url, label, processes: [epmd, script] });
  const isReady = () => amqpAnswers({ host, port: settings.ports.amqp });
  await untilReady(isReady, { what: 'RabbitMQ', processes: [script], logFile, timeoutMs: startTimeoutMs });
  const running: Running = { url, label, processes: [epmd, script, erlangOf(folder)] };
  noteRunning(folder, running);
  return running;
};

/**
 * Starts a RabbitMQ with its data in `folder`, or finds the one that runs there already.
 *
 * @throws {Error} with the end of its log when it does not come up.
 */
export const startRabbitmq = (binary: string, folder: string): Promise<Running> =>
  startOnce(folder, amqpAnswers, () => start(binary, folder));
