/** What builds and runs containers: Docker where it runs, otherwise podman with Debian's programs, as root. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { env as environment, getuid } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import { debianArchive, installPackages } from '../../tools/services/apt.ts';
import { findBinary } from '../../tools/services/processes.ts';
import { cacheOf } from '../support/cache.ts';

/** Thrown where the machine cannot run containers. The message says why. */
export class NoEngineError extends Error {}

export type Engine = {
  /** Whether images can be had from a registry. Otherwise the tests make stand-ins. */
  pulls: boolean;
  /** Runs a command of the engine, such as `['kill', name]`, and returns what it prints. */
  run(...args: string[]): Promise<string>;
  /** The same for `docker compose`; it prints to this process. */
  compose(args: string[], env?: Record<string, string>): Promise<void>;
  close(): Promise<void>;
};

/** Where programs and images stay from one run to the next. */
export const cacheFolder = cacheOf('containers');

const packages = ['podman', 'buildah', 'runc', 'netavark', 'aardvark-dns', 'iptables', 'debootstrap'];
const composeTimeoutMs = 1_200_000;

const works = (file: string, ...args: string[]): Promise<boolean> =>
  execa(file, args, { timeout: 20_000 }).then(
    () => true,
    () => false,
  );

const runCompose =
  (command: string[], engineEnv: Record<string, string>) =>
  async (args: string[], env: Record<string, string> = {}): Promise<void> => {
    const [file = '', ...first] = command;
    await execa(file, [...first, ...args], {
      env: { ...engineEnv, ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: composeTimeoutMs,
    });
  };

const docker = async (): Promise<Engine | undefined> => {
  if (!(await works('docker', 'info')) || !(await works('docker', 'compose', 'version'))) return undefined;
  return {
    pulls: true,
    run: async (...args) => (await execa('docker', args)).stdout,
    compose: runCompose(['docker', 'compose'], {}),
    close: async () => {},
  };
};

/** The archive of Debian that this machine's apt uses. @throws {NoEngineError} */
export const archiveOfDebian = (): Promise<string> =>
  debianArchive().catch((error) => {
    throw new NoEngineError(error.message);
  });

/** Compose 2.26 out of Debian 13; that of Debian 12 is too old for our file. */
const composePlugin = async (): Promise<string> => {
  const folder = join(cacheFolder, 'compose');
  const program = join(folder, 'usr/libexec/docker/cli-plugins/docker-compose');
  if (existsSync(program)) return program;
  const download = join(cacheFolder, 'debootstrap-compose');
  rmSync(download, { recursive: true, force: true });
  const options = ['--variant=minbase', '--download-only', '--include=docker-compose'];
  await execa('debootstrap', [...options, 'trixie', download, await archiveOfDebian()], { timeout: 600_000 });
  const [archive = ''] = globSync(join(download, 'var/cache/apt/archives/docker-compose_*.deb'));
  await execa('dpkg-deb', ['--extract', archive, folder]);
  rmSync(download, { recursive: true });
  return program;
};

const writeSettings = (): Record<string, string> => {
  const [conf, storage] = ['containers.conf', 'storage.conf'].map((name) => join(cacheFolder, name));
  writeFileSync(
    conf!,
    [
      '[containers]',
      'default_ulimits = ["nofile=16384:16384", "nproc=4096:4096"]',
      '[engine]',
      'runtime = "runc"',
      'cgroup_manager = "cgroupfs"',
      'events_logger = "file"',
      '[network]',
      'network_backend = "netavark"',
    ].join('\n'),
  );
  const folders = { runroot: join(cacheFolder, 'run'), graphroot: join(cacheFolder, 'storage') };
  writeFileSync(
    storage!,
    `[storage]\ndriver = "overlay"\nrunroot = "${folders.runroot}"\ngraphroot = "${folders.graphroot}"\n`,
  );
  return { CONTAINERS_CONF: conf!, CONTAINERS_STORAGE_CONF: storage!, BUILDAH_ISOLATION: 'chroot' };
};

/** podman leaves health checks to timers of systemd, which containers and build machines often lack. */
const checkHealth = (run: Engine['run']) => {
  const stopping = new AbortController();
  const checking = (async () => {
    while (!stopping.signal.aborted) {
      const ids = await run('ps', '-q', '--filter', 'health=starting').catch(() => '');
      for (const id of ids.split('\n').filter(Boolean)) await run('healthcheck', 'run', id).catch(() => {});
      await pause(2_000, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return () => {
    stopping.abort();
    return checking;
  };
};

const startService = async (socket: string, env: Record<string, string>): Promise<ChildProcess> => {
  rmSync(socket, { force: true });
  const service = spawn('podman', ['system', 'service', '--time', '0', `unix://${socket}`], {
    env: { ...environment, ...env },
    stdio: 'ignore',
  });
  for (let tries = 0; !existsSync(socket); tries += 1) {
    if (tries > 300) throw new NoEngineError('podman did not open its socket within 30 s.');
    await pause(100);
  }
  return service;
};

const isDebian = (): boolean => existsSync('/etc/debian_version') && findBinary('apt-get') !== undefined;

const podman = async (): Promise<Engine> => {
  if (!isDebian() || getuid?.() !== 0)
    throw new NoEngineError('No Docker runs here, and podman is only set up as root on Debian.');
  mkdirSync(cacheFolder, { recursive: true });
  if (packages.some((name) => !findBinary(name, ['/usr/lib/podman']))) await installPackages(...packages);
  const settings = writeSettings();
  const socket = join(cacheFolder, 'podman.sock');
  const plugin = await composePlugin();
  const service = await startService(socket, settings);
  const run: Engine['run'] = async (...args) => (await execa('podman', args, { env: settings })).stdout;
  const stopHealth = checkHealth(run);
  return {
    pulls: false,
    run,
    compose: runCompose([plugin], {
      ...settings,
      DOCKER_HOST: `unix://${socket}`,
      DOCKER_BUILDKIT: '0',
      COMPOSE_PARALLEL_LIMIT: '1',
    }),
    close: async () => {
      await stopHealth();
      service.kill();
    },
  };
};

/** @throws {NoEngineError} */
export const openEngine = async (): Promise<Engine> => (await docker()) ?? (await podman());
