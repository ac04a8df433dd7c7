/** A private RabbitMQ: all its files are in one folder, all its ports are its own. */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { env as environment } from 'node:process';
import { execa } from 'execa';
import { makeFolder, noteRunning, type Running, readJson, settingsOf, startOnce, writeJson } from './private-server.ts';
import { probeRabbitmq } from './probe.ts';
import { findBinary, processOf, type StartedProcess, startDetached, untilReady } from './processes.ts';
import { administrator, definitions } from './rabbitmq-users.ts';

const ports = ['amqp', 'distribution', 'epmd'] as const;
type ServerSettings = Awaited<ReturnType<typeof settingsOf<(typeof ports)[number]>>>;
/** The nodes of a cluster have different names, and share the password, the cookie and the port of epmd. */
export type NodeSettings = ServerSettings & { nodeName?: string };

const host = '127.0.0.1';
/** Erlang starts slowly on a busy machine. */
const startTimeoutMs = 90_000;

/** Debian's wrapper in /usr/sbin changes folder and user; the script behind it does not. */
const folders = ['/usr/lib/rabbitmq/bin', '/opt/homebrew/sbin', '/usr/local/sbin'];
export const findRabbitmq = (): string | undefined => findBinary('rabbitmq-server', folders);

/** The name by which Erlang knows a node. */
export const nodeOf = ({ nodeName = 'lanekeeper' }: Pick<NodeSettings, 'nodeName'>): string => `${nodeName}@localhost`;

const writeConfiguration = (folder: string, { password, cookie }: NodeSettings, lines: string[]): void => {
  writeJson(join(folder, 'definitions.json'), definitions(password));
  const configuration = [`load_definitions = ${join(folder, 'definitions.json')}`, ...lines];
  writeFileSync(join(folder, 'rabbitmq.conf'), `${configuration.join('\n')}\n`);
  writeFileSync(join(folder, 'enabled_plugins'), '[].\n');
  const cookieFile = join(makeFolder(folder, 'home'), '.erlang.cookie');
  rmSync(cookieFile, { force: true });
  writeFileSync(cookieFile, cookie);
  chmodSync(cookieFile, 0o400);
};

/** Its queues, messages and users, and what it knows of its cluster. */
export const dataOf = (folder: string): string => join(folder, 'mnesia');

/** Names every path and port: a default would come from /etc, or collide with another RabbitMQ. */
const serverEnvironment = (folder: string, settings: NodeSettings): Record<string, string> => ({
  PATH: environment.PATH ?? '/usr/bin:/bin',
  LANG: 'C.UTF-8',
  HOME: join(folder, 'home'),
  ERL_EPMD_PORT: String(settings.ports.epmd),
  ERL_EPMD_ADDRESS: host,
  RABBITMQ_NODENAME: nodeOf(settings),
  RABBITMQ_NODE_IP_ADDRESS: host,
  RABBITMQ_NODE_PORT: String(settings.ports.amqp),
  RABBITMQ_DIST_PORT: String(settings.ports.distribution),
  RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
  RABBITMQ_MNESIA_BASE: makeFolder(dataOf(folder)),
  RABBITMQ_LOG_BASE: makeFolder(folder, 'log'),
  RABBITMQ_PID_FILE: join(folder, 'rabbitmq.pid'),
  RABBITMQ_CONF_ENV_FILE: join(folder, 'rabbitmq-env.conf'),
  RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
  RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
  RABBITMQ_GENERATED_CONFIG_DIR: makeFolder(folder, 'generated'),
});

/** The epmd that a node starts is a daemon of unknown pid, so it is started here. */
export const startEpmd = async (binary: string, folder: string, port: string): Promise<StartedProcess> => {
  const file = findBinary('epmd', [dirname(binary)]);
  if (!file) throw new Error('epmd is not in PATH. It comes with Erlang: install Erlang completely.');
  const logFile = join(folder, 'epmd.log');
  const args = ['-port', port, '-address', host];
  const epmd = await startDetached({ file, args, env: { LANG: 'C' }, folder, logFile });
  const isReady = async () => !(await execa(file, ['-port', port, '-names'], { reject: false })).failed;
  await untilReady(isReady, { what: 'epmd', processes: [epmd], logFile, timeoutMs: 10_000 });
  return epmd;
};

export const urlOf = ({ password, ports }: NodeSettings): string =>
  `amqp://${administrator}:${password}@${host}:${ports.amqp}`;

export type Node = {
  binary: string;
  folder: string;
  settings: NodeSettings;
  /** Further lines of its rabbitmq.conf. */
  configuration?: string[];
};

/**
 * Starts one node, whose epmd is running. Resolves when it accepts connections.
 *
 * @param note is called with each process as soon as it runs.
 */
export const startNode = async (node: Node, note: (started: StartedProcess) => void): Promise<void> => {
  const { binary, folder, settings, configuration = [] } = node;
  writeConfiguration(folder, settings, configuration);
  const pidFile = join(folder, 'rabbitmq.pid');
  rmSync(pidFile, { force: true });
  const logFile = join(folder, 'rabbitmq.log');
  const env = serverEnvironment(folder, settings);
  const script = await startDetached({ file: binary, args: [], env, folder, logFile });
  note(script);
  const awaited = { what: 'RabbitMQ', processes: [script], logFile, timeoutMs: startTimeoutMs };
  await untilReady(async () => !(await probeRabbitmq(urlOf(settings))), awaited);
  // The script waits for the Erlang process, and SIGTERM to the Erlang process is what stops it cleanly.
  if (!existsSync(pidFile)) throw new Error(`RabbitMQ did not write ${pidFile}.`);
  note(processOf(Number(readFileSync(pidFile, 'utf8').trim())));
};

const start = async (binary: string, folder: string): Promise<Running> => {
  const settings = await settingsOf(folder, ports);
  const label = `private RabbitMQ (${binary})`;
  const running: Running = { url: urlOf(settings), label, hasRoleUsers: true, processes: [] };
  const note = (started: StartedProcess) => {
    running.processes.push(started);
    noteRunning(folder, running);
  };
  note(await startEpmd(binary, folder, String(settings.ports.epmd)));
  await startNode({ binary, folder, settings }, note);
  return running;
};

/** Starts a RabbitMQ with its data in `folder`, or finds it running there. Rejects with the end of its log. */
export const startRabbitmq = (binary: string, folder: string): Promise<Running> =>
  startOnce(folder, probeRabbitmq, () => start(binary, folder));

/**
 * What `rabbitmqctl` prints for the RabbitMQ of this folder.
 *
 * @param binary its `rabbitmq-server`, where that is not the installed one.
 */
export const rabbitmqctl = async (folder: string, args: string[], binary?: string): Promise<string> => {
  const env = serverEnvironment(folder, readJson<NodeSettings>(join(folder, 'settings.json')) as NodeSettings);
  const file = findBinary('rabbitmqctl', binary ? [dirname(binary)] : folders) ?? 'rabbitmqctl';
  return (await execa(file, args, { env, extendEnv: false, timeout: 60_000 })).stdout;
};
