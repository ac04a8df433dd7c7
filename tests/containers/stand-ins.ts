/** Images for a machine that can pull none: a base with Node 24, and servers that behave as those of docker-compose.yml. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { root } from '../../tools/run-tool.ts';
import { findBinary } from '../../tools/services/processes.ts';
import { builtStandin, wheelStandin } from '../../tools/services/standin.ts';
import { archiveOfDebian, cacheFolder, type Engine } from './engine.ts';

/** Changed with what it is made of: an image that is there stays. */
export const baseImage = 'localhost/lanekeeper-base:2';
/** Those of the Dockerfiles of examples and new projects. */
const nodeImages = ['docker.io/library/node:24.21.0-slim', 'docker.io/library/node:24-slim'];
const rabbitmqImage = 'localhost/lanekeeper-rabbitmq-standin:2';
const mongodbImage = 'localhost/lanekeeper-mongodb-standin:2';

const certificates = '/etc/ssl/certs/ca-certificates.crt';

/** This machine's ways to packages: a build uses the same. */
const copyPackageSettings = async (folder: string): Promise<void> => {
  for (const path of [certificates, '/etc/apt/apt.conf.d', '/etc/apt/sources.list', '/etc/apt/sources.list.d'])
    if (existsSync(path)) {
      rmSync(join(folder, path), { recursive: true, force: true });
      cpSync(path, join(folder, path), { recursive: true, verbatimSymlinks: true });
    }
  const files = ['userconfig', 'globalconfig'].map((name) => execa('npm', ['config', 'get', name]));
  const settings = (await Promise.all(files)).map(({ stdout }) =>
    existsSync(stdout) ? readFileSync(stdout, 'utf8') : '',
  );
  mkdirSync(join(folder, 'usr/local/etc'), { recursive: true });
  // `nodedir` would name headers that the image does not have.
  writeFileSync(join(folder, 'usr/local/etc/npmrc'), settings.join('\n').replaceAll(/^nodedir\b.*$/gm, ''));
};

const copyNode = (folder: string): void => {
  // Not `npm root --global`: that belongs to the Node that runs npm, and this one comes without npm.
  const npm = dirname(dirname(realpathSync(findBinary('npm') ?? '')));
  cpSync(process.execPath, join(folder, 'usr/local/bin/node'));
  const headers = join(dirname(dirname(realpathSync(process.execPath))), 'include');
  if (existsSync(headers)) cpSync(headers, join(folder, 'usr/local/include'), { recursive: true });
  cpSync(npm, join(folder, 'usr/local/lib/node_modules/npm'), { recursive: true });
  for (const name of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(folder, 'usr/local/bin', name));
};

/** As in the official image. */
const addUser = (folder: string): void => {
  appendFileSync(join(folder, 'etc/passwd'), 'node:x:1000:1000::/home/node:/bin/bash\n');
  appendFileSync(join(folder, 'etc/group'), 'node:x:1000:\n');
};

const exists = (engine: Engine, image: string): Promise<boolean> =>
  engine.run('image', 'inspect', image).then(
    () => true,
    () => false,
  );

const makeBase = async (engine: Engine): Promise<void> => {
  const [folder, archive] = ['base-root', 'base.tar'].map((name) => join(cacheFolder, name)) as [string, string];
  rmSync(folder, { recursive: true, force: true });
  try {
    const options = ['--variant=minbase', '--include=ca-certificates'];
    // It mounts /proc and more there: in a namespace of its own nothing stays mounted when it is interrupted.
    const own = ['--mount', '--propagation', 'private', 'debootstrap'];
    const args = [...own, ...options, 'bookworm', folder, await archiveOfDebian()];
    await execa('unshare', args, { timeout: 1_200_000 });
    rmSync(join(folder, 'var/cache/apt/archives'), { recursive: true, force: true });
    await copyPackageSettings(folder);
    copyNode(folder);
    addUser(folder);
    await execa('tar', ['-C', folder, '-cf', archive, '.']);
    const changes = [`ENV NODE_EXTRA_CA_CERTS=${certificates}`, 'CMD ["node"]'].flatMap((one) => ['--change', one]);
    await engine.run('import', ...changes, archive, baseImage);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(archive, { force: true });
  }
};

/** By the name that a Dockerfile gives it. Without a source it is an empty folder. */
type Beside = Record<string, string | undefined>;

/** Builds from a Dockerfile of this folder, with these files beside it. */
const build = async (engine: Engine, image: string, file: string, files: Beside = {}): Promise<void> => {
  const context = mkdtempSync(join(tmpdir(), 'lanekeeper-context-'));
  try {
    cpSync(join(import.meta.dirname, file), join(context, 'Dockerfile'));
    for (const [name, from] of Object.entries(files))
      if (from) cpSync(from, join(context, name), { recursive: true });
      else mkdirSync(join(context, name));
    const options = ['--isolation', 'chroot', '--network', 'host', '--format', 'docker'];
    await engine.run('build', ...options, '--build-arg', `BASE_IMAGE=${baseImage}`, '-t', image, context);
  } finally {
    rmSync(context, { recursive: true });
  }
};

const mongodbFiles = async (): Promise<Beside> => {
  const built = process.env.MONGO_STANDIN ?? builtStandin(root);
  if (built) return { bin: findBinary(built) ?? built, libs: undefined };
  const binary = await wheelStandin(root);
  return { bin: binary, libs: join(dirname(dirname(binary)), 'secantusdb.libs') };
};

/** Makes what is missing. The images stay for the next run. */
export const makeStandIns = async (engine: Engine, say: (line: string) => void): Promise<void> => {
  const make = async (image: string, how: () => Promise<void>): Promise<void> => {
    if (await exists(engine, image)) return;
    say(`making ${image}`);
    await how();
  };
  await make(baseImage, () => makeBase(engine));
  for (const name of nodeImages) await engine.run('tag', baseImage, name);
  await make(rabbitmqImage, () => build(engine, rabbitmqImage, 'rabbitmq.Dockerfile'));
  await make(mongodbImage, async () => build(engine, mongodbImage, 'mongodb.Dockerfile', await mongodbFiles()));
};
