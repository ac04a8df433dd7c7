/** The ways to each server, in the order in which they are tried. docs/decisions/0009 gives the reasons. */
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { execaNode } from 'execa';
import { systemClock } from '../../lib/clock.ts';
import { fileBeside } from '../../lib/file-beside.ts';
import { pollUntil } from '../../lib/poll.ts';
import { programsOf } from '../run-tool.ts';
import { announceInstall, type Consent, installPackages, whyNoApt } from './apt.ts';
import { type Found, NoServerError, type Refused, type Way } from './choose.ts';
import { checkoutId, hasCompose, type ServerName, startContainer, startedContainer } from './compose.ts';
import { type MongoProgram, mongod, standin, startMongodb } from './mongodb.ts';
import { answeringServer, type Running } from './private-server.ts';
import { type Probe, probeMongodb, probeRabbitmq } from './probe.ts';
import { findBinary } from './processes.ts';
import { findRabbitmq, startRabbitmq } from './rabbitmq.ts';
import { rabbitmq4 } from './rabbitmq-4.ts';
import { startCluster } from './rabbitmq-cluster.ts';
import { builtStandin, wheelStandin } from './standin.ts';

export type Search = Consent & {
  root: string;
  env: NodeJS.ProcessEnv;
  /** Whether RabbitMQ is to be a cluster of three nodes, whatever the environment names. */
  cluster?: boolean;
};

/** Where the program of a private server comes from. `folder`: of its data, for programs that can read each other's files. */
type Source<P> = { name: string; folder: string; missing: string; find(): Promise<P | undefined> };

type Server<P> = {
  title: string;
  variable: string;
  probe: Probe;
  /** At the usual port, where other checkouts may use the same server. */
  usual(checkout: string): Found;
  sources(search: Search): Source<P>[];
  start(program: P, folder: string): Promise<Running>;
  remedy: string;
};

const refused = (reason: string): Refused => ({ refused: reason });

const installByApt = async (consent: Consent): Promise<string | undefined> => {
  const reason = whyNoApt();
  if (reason) throw new Error(reason);
  await announceInstall(consent);
  await installPackages('rabbitmq-server');
  return findRabbitmq();
};

/** A process of its own, because a download that hangs can be ended only with its process. */
const downloadMongod = async ({ root, env }: Search): Promise<string | undefined> => {
  const options = { timeout: 300_000, reject: false, nodePath: execPath, env: { MONGOMS_MAX_RETRIES: '0', ...env } };
  const script = fileURLToPath(fileBeside(import.meta.url, 'download-mongod'));
  const { stdout, stderr, failed } = await execaNode(script, [join(programsOf(root), 'mongod')], options);
  if (String(stderr).includes("Cannot find package 'mongodb-memory-server-core'"))
    throw new Error('mongod cannot be downloaded without the package mongodb-memory-server-core, which is optional');
  return failed ? undefined : String(stdout).split('\n').at(-1);
};

const source = <P>(name: string, folder: string, missing: string, find: Source<P>['find']): Source<P> => ({
  ...{ name, folder, missing, find },
});

const mongodbSources = (search: Search): Source<MongoProgram>[] => {
  const { env, root } = search;
  const real = (binary?: string) => (binary ? mongod(binary) : undefined);
  const other = (origin: string, binary?: string) => (binary ? standin(binary, origin) : undefined);
  return [
    source('installed', 'mongodb', 'no mongod is installed', async () => real(findBinary('mongod'))),
    source('download', 'mongodb', 'mongod cannot be downloaded', async () => real(await downloadMongod(search))),
    source('named', 'mongodb-standin', 'MONGO_STANDIN is not set', async () => other('named', env.MONGO_STANDIN)),
    source('built', 'mongodb-standin', 'no stand-in was built', async () => other('built', builtStandin(root))),
    source('wheel', 'mongodb-standin-wheel', '', async () => other('wheel', await wheelStandin(root))),
  ];
};

export const servers: Record<ServerName, Server<unknown>> = {
  rabbitmq: {
    title: 'RabbitMQ',
    variable: 'RABBITMQ_URL',
    probe: probeRabbitmq,
    usual: (checkout) => ({ url: 'amqp://127.0.0.1:5672', label: 'found on port 5672', queuePrefix: `${checkout}.` }),
    sources: (search) => [
      source('installed', 'rabbitmq', 'no rabbitmq-server is installed', async () => findRabbitmq()),
      source('apt', 'rabbitmq', 'apt-get installed no rabbitmq-server', () => installByApt(search)),
    ],
    start: startRabbitmq,
    remedy: 'Install RabbitMQ (package rabbitmq-server) or Docker, or name a server in RABBITMQ_URL.',
  },
  mongodb: {
    title: 'MongoDB',
    variable: 'MONGODB_URL',
    probe: probeMongodb,
    usual: (checkout) => ({ url: `mongodb://127.0.0.1:27017/lanekeeper-${checkout}`, label: 'found on port 27017' }),
    sources: mongodbSources,
    start: startMongodb,
    remedy: 'Install MongoDB (mongod) or Docker, or name a server in MONGODB_URL.',
  },
};

const nobody: Consent = { say: () => undefined };

/** Where a private server of this checkout may have its data. */
export const foldersOf = (root: string, server: ServerName): string[] => {
  const names = servers[server].sources({ ...nobody, root, env: {} }).map(({ folder }) => folder);
  return [...new Set(names)].map((name) => join(root, '.data', name));
};

/** A URL without its password, for people. */
export const withoutPassword = (url: string): string => url.replace(/(\/\/[^:/@]*):[^@/]*@/, '$1:***@');

/**
 * The program that a private MongoDB would run.
 *
 * @param order names of the sources, where another order is wanted.
 * @throws {Error} when there is none.
 */
export const findMongoProgram = async (
  root: string,
  env: NodeJS.ProcessEnv,
  order?: string[],
): Promise<MongoProgram> => {
  const sources = mongodbSources({ ...nobody, root, env });
  const ordered = order?.flatMap((name) => sources.filter((source) => source.name === name)) ?? sources;
  for (const { find } of ordered) {
    const program = await find().catch(() => undefined);
    if (program) return program;
  }
  throw new Error(servers.mongodb.remedy);
};

/** A server that somebody named is never replaced by another: the data is there. */
export const named = (server: ServerName, url: string | undefined, waitMs = 5_000): Way => ({
  name: 'environment',
  async find() {
    const { variable, probe } = servers[server];
    if (!url) return refused(`${variable} is not set`);
    let reason: string | undefined;
    await pollUntil(systemClock, waitMs, async () => {
      reason = await probe(url);
      return reason === undefined || undefined;
    });
    if (reason === undefined) return { url, label: `named in ${variable}` };
    throw new NoServerError(
      `${variable} names ${withoutPassword(url)}, which cannot be used (${reason}). Start that server, or unset ${variable}.`,
    );
  },
});

const found = ({ url, hasRoleUsers }: Running): Pick<Found, 'url' | 'hasRoleUsers'> => ({ url, hasRoleUsers });

/** A server that this checkout started has its data, so it comes before the usual port. */
const alreadyRunning = (server: ServerName, root: string): Way => ({
  name: 'running',
  async find() {
    const { probe } = servers[server];
    for (const folder of foldersOf(root, server)) {
      const running = await answeringServer(folder, probe);
      if (running) return { ...found(running), label: `already running: ${running.label}` };
    }
    const url = startedContainer(root, server);
    if (!url || (await probe(url))) return refused('none runs from here');
    return { url, hasRoleUsers: server === 'rabbitmq', label: 'already running: container of Compose' };
  },
});

const onUsualPort = (server: ServerName, root: string): Way => ({
  name: 'usual-port',
  async find() {
    const { probe, usual } = servers[server];
    const found = usual(checkoutId(root));
    const reason = await probe(found.url);
    return reason ? refused(`nothing that can be used on port ${new URL(found.url).port} (${reason})`) : found;
  },
});

const composed = (server: ServerName, root: string): Way => ({
  name: 'compose',
  async find() {
    if (!(await hasCompose())) return refused('no Docker engine with Compose answers');
    const url = await startContainer(root, server);
    return { url, hasRoleUsers: server === 'rabbitmq', label: 'started: container of Compose', startedNow: true };
  },
});

const started = (server: ServerName, { name, folder, find, missing }: Source<unknown>, root: string): Way => ({
  name,
  async find() {
    const program = await find();
    if (!program) return refused(missing);
    const running = await servers[server].start(program, join(root, '.data', folder));
    return { ...found(running), label: `started: ${running.label}`, startedNow: true };
  },
});

export const clusterFolder = (root: string): string => join(root, '.data', 'rabbitmq-cluster');
export const clusterRemedy = 'Run it as root on Debian 12 or later, or leave --cluster out.';

const asCluster = (search: Search): Way => ({
  name: 'cluster',
  async find() {
    const folder = clusterFolder(search.root);
    const before = await answeringServer(folder, probeRabbitmq);
    if (before) return { ...found(before), label: `already running: ${before.label}` };
    const running = await startCluster(await rabbitmq4(search.root, search), folder);
    return { ...found(running), label: `started: ${running.label}`, startedNow: true };
  },
});

export const waysTo = (server: ServerName, search: Search): Way[] => {
  if (search.cluster && server === 'rabbitmq') return [asCluster(search)];
  return [
    named(server, search.env[servers[server].variable]),
    alreadyRunning(server, search.root),
    onUsualPort(server, search.root),
    composed(server, search.root),
    ...servers[server].sources(search).map((source) => started(server, source, search.root)),
  ];
};
