import { join } from 'node:path';
import { execPath } from 'node:process';
import { findBinary } from './binaries.ts';
import { checkoutId } from './checkout.ts';
import type { Found, Way } from './choose.ts';
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

const startPrivate = async (program: MongoProgram, root: string, kind: Kind): Promise<Found> => {
  const running = await startMongodb(program, folderOf(root, kind));
  return { url: running.url, label: running.label, startedNow: true };
};

const installed = (root: string): Way => ({
  name: 'installed',
  async find() {
    const binary = findBinary('mongod');
    return binary ? startPrivate(mongod(binary), root, 'mongod') : refused('no mongod is installed');
  },
});

/** A process of its own, because a download that hangs can be ended only with its process. */
const downloaded = (root: string): Way => ({
  name: 'download',
  async find() {
    const script = join(import.meta.dirname, 'download-mongod.ts');
    const target = join(root, '.build', 'mongod');
    const printed = await runCommand(execPath, ['--no-warnings', script, target], { timeoutMs: 300_000 }).catch(
      () => '',
    );
    const binary = printed.trim().split('\n').at(-1);
    return binary ? startPrivate(mongod(binary), root, 'mongod') : refused('mongod cannot be downloaded here');
  },
});

const named = (root: string, env: NodeJS.ProcessEnv): Way => ({
  name: 'named-standin',
  async find() {
    const binary = env.MONGO_STANDIN;
    return binary
      ? startPrivate(standin(binary, 'named in MONGO_STANDIN'), root, 'built')
      : refused('MONGO_STANDIN is not set');
  },
});

const built = (root: string): Way => ({
  name: 'built-standin',
  async find() {
    const binary = builtStandin(root);
    return binary ? startPrivate(standin(binary, 'built'), root, 'built') : refused('no stand-in was built');
  },
});

const wheel = (root: string): Way => ({
  name: 'wheel-standin',
  async find() {
    const binary = await wheelStandin(root);
    return startPrivate(standin(binary, 'wheel'), root, 'wheel');
  },
});

export const mongodbRemedy = 'Install MongoDB (mongod) or Docker, or name a server in MONGODB_URL.';

/** In the order in which they are tried. */
export const waysToMongodb = (root: string, env: NodeJS.ProcessEnv): Way[] => [
  namedInEnvironment('MONGODB_URL', env.MONGODB_URL),
  alreadyRunning(() => findRunning(root)),
  onUsualPort(root, { host: '127.0.0.1', port: 27_017 }),
  composed(root, 'mongodb'),
  installed(root),
  downloaded(root),
  named(root, env),
  built(root),
  wheel(root),
];
