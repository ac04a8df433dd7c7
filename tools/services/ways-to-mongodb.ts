import { join } from 'node:path';
import { env, execPath } from 'node:process';
import { findBinary } from './binaries.ts';
import { checkoutId } from './checkout.ts';
import type { Refused, Way } from './choose.ts';
import { runCommand } from './commands.ts';
import { runningContainer } from './compose.ts';
import { type MongoProgram, mongod, standin, startMongodb } from './mongodb.ts';
import { answeringServer, type Running } from './private-server.ts';
import { type Address, mongoAnswers, mongoIsOpen } from './probe.ts';
import { alreadyRunning, composed, namedInEnvironment, refused } from './shared-ways.ts';
import { builtStandin, wheelStandin } from './standin.ts';

/** Each program has a data folder of its own: none reads the files of another, or of another version, for sure. */
const folders = { mongod: 'mongodb', built: 'mongodb-standin', wheel: 'mongodb-standin-wheel' };
type Kind = keyof typeof folders;

const folderOf = (root: string, kind: Kind): string => join(root, '.data', folders[kind]);

const downloadTimeoutMs = 300_000;

export const mongodbFolders = (root: string): string[] =>
  Object.values(folders).map((folder) => join(root, '.data', folder));

const findRunning = async (root: string): Promise<Pick<Running, 'url' | 'label'> | undefined> => {
  for (const folder of mongodbFolders(root)) {
    const running = await answeringServer(folder, mongoAnswers);
    if (running) return running;
  }
  const url = await runningContainer(root, 'mongodb');
  return url ? { url, label: 'container of docker-compose.yml' } : undefined;
};

const onUsualPort = (root: string, usual: Address): Way => ({
  name: 'usual-port',
  async find() {
    if (!(await mongoAnswers(usual))) return refused(`nothing answers hello on port ${usual.port}`);
    if (!(await mongoIsOpen(usual)))
      return refused(`the MongoDB on port ${usual.port} wants a login: name it in MONGODB_URL`);
    const url = `mongodb://${usual.host}:${usual.port}/lanekeeper-${checkoutId(root)}`;
    return { url, label: `it answers on port ${usual.port}` };
  },
});

/** Where a program comes from, and which data folder it gets. */
type Source = { name: string; kind: Kind; find(): Promise<MongoProgram | Refused> };

const installed: Source = {
  name: 'installed',
  kind: 'mongod',
  async find() {
    const binary = findBinary('mongod');
    return binary ? mongod(binary) : refused('no mongod is installed');
  },
};

/** A process of its own, because a download that hangs can be ended only with its process. */
const downloaded = (root: string): Source => ({
  name: 'download',
  kind: 'mongod',
  async find() {
    const args = ['--no-warnings', join(import.meta.dirname, 'download-mongod.ts'), join(root, '.build', 'mongod')];
    const once = { MONGOMS_MAX_RETRIES: '0', ...env };
    const printed = await runCommand(execPath, args, { timeoutMs: downloadTimeoutMs, env: once }).catch(() => '');
    const binary = printed.trim().split('\n').at(-1);
    return binary ? mongod(binary) : refused('mongod cannot be downloaded here');
  },
});

const named = (binary: string | undefined): Source => ({
  name: 'named-standin',
  kind: 'built',
  async find() {
    return binary ? standin(binary, 'named in MONGO_STANDIN') : refused('MONGO_STANDIN is not set');
  },
});

const built = (root: string): Source => ({
  name: 'built-standin',
  kind: 'built',
  async find() {
    const binary = builtStandin(root);
    return binary ? standin(binary, 'built') : refused('no stand-in was built');
  },
});

const wheel = (root: string): Source => ({
  name: 'wheel-standin',
  kind: 'wheel',
  async find() {
    return standin(await wheelStandin(root), 'wheel');
  },
});

const sources = (root: string, settings: NodeJS.ProcessEnv): Source[] => [
  installed,
  downloaded(root),
  named(settings.MONGO_STANDIN),
  built(root),
  wheel(root),
];

const started = (root: string, source: Source): Way => ({
  name: source.name,
  async find() {
    const program = await source.find();
    if ('refused' in program) return program;
    const running = await startMongodb(program, folderOf(root, source.kind));
    return { url: running.url, label: running.label, startedNow: true };
  },
});

/** The program that a private server would run, for one beside the chosen server. @throws {Error} when there is none. */
export const findMongoProgram = async (root: string, settings: NodeJS.ProcessEnv): Promise<MongoProgram> => {
  for (const source of sources(root, settings)) {
    const program = await source.find().catch(() => refused(''));
    if (!('refused' in program)) return program;
  }
  throw new Error(mongodbRemedy);
};

export const mongodbRemedy = 'Install MongoDB (mongod) or Docker, or name a server in MONGODB_URL.';

/** In the order in which they are tried. */
export const waysToMongodb = (root: string, settings: NodeJS.ProcessEnv): Way[] => [
  namedInEnvironment('MONGODB_URL', settings.MONGODB_URL),
  alreadyRunning(() => findRunning(root)),
  onUsualPort(root, { host: '127.0.0.1', port: 27_017 }),
  composed(root, 'mongodb'),
  ...sources(root, settings).map((source) => started(root, source)),
];
