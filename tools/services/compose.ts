/** The servers of docker-compose.yml, on ports of this checkout, where a Docker engine answers. */
import { createHash } from 'node:crypto';
import { realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { root as packageRoot } from '../run-tool.ts';
import { readJson, type Settings, settingsOf, writeJson } from './private-server.ts';
import { administrator, definitions } from './rabbitmq-users.ts';

export type ServerName = 'rabbitmq' | 'mongodb';

const folderOf = (root: string, server: ServerName): string => join(root, '.data', `compose-${server}`);
const startedFile = (root: string, server: ServerName): string => join(folderOf(root, server), 'started.json');

/** True when a Docker engine with Compose answers. */
export const hasCompose = async (): Promise<boolean> =>
  !(await execa('docker', ['compose', 'ls'], { timeout: 5_000, reject: false })).failed;

/** Names this checkout where it shares a server with others: the same at every start, different in another folder. */
export const checkoutId = (root: string): string =>
  createHash('sha256').update(realpathSync(root)).digest('hex').slice(0, 8);

type Started = Settings<'server'>;

const passwordVariables = [
  'MONGODB_ROOT_PASSWORD',
  'MONGODB_PASSWORD',
  'RABBITMQ_FUNCTIONS_PASSWORD',
  'RABBITMQ_CONSUMER_PASSWORD',
];

const compose = (root: string, server: ServerName, { password, ports }: Started, ...args: string[]) => {
  // Compose demands every variable of the file, also for services that it does not start.
  const passwords = Object.fromEntries(passwordVariables.map((name) => [name, password]));
  const published = { RABBITMQ_PORT: '', MONGODB_PORT: '', [`${server.toUpperCase()}_PORT`]: String(ports.server) };
  const files = ['-f', 'docker-compose.yml', '-f', 'tools/services/published-ports.yml'];
  return execa('docker', ['compose', '-p', `lanekeeper-${checkoutId(root)}`, ...files, ...args, server], {
    cwd: packageRoot,
    timeout: 300_000, // pulls the image
    env: { ...passwords, ...published, RABBITMQ_DEFINITIONS: JSON.stringify(definitions(password)) },
  });
};

/** The URL of the container that this checkout started. */
export const startedContainer = (root: string, server: ServerName): string | undefined => {
  const settings = readJson<Started>(startedFile(root, server));
  if (!settings) return undefined;
  const address = `127.0.0.1:${settings.ports.server}`;
  return server === 'mongodb'
    ? `mongodb://root:${settings.password}@${address}/lanekeeper?authSource=admin&directConnection=true`
    : `amqp://${administrator}:${settings.password}@${address}`;
};

/** Returns the URL of the healthy container; stops an unhealthy one. @throws {Error} with what Docker printed. */
export const startContainer = async (root: string, server: ServerName): Promise<string> => {
  const settings = await settingsOf(folderOf(root, server), ['server']);
  // Noted before it runs, so that a container which can neither be used nor stopped now is stopped later.
  writeJson(startedFile(root, server), settings);
  try {
    await compose(root, server, settings, 'up', '--detach', '--wait');
  } catch (error) {
    await stopContainer(root, server).catch(() => undefined);
    throw error;
  }
  return startedContainer(root, server) as string;
};

/** Stops the container that this checkout started; its volume stays. False when it started none. */
export const stopContainer = async (root: string, server: ServerName): Promise<boolean> => {
  const settings = readJson<Started>(startedFile(root, server));
  if (!settings) return false;
  await compose(root, server, settings, 'stop');
  rmSync(startedFile(root, server), { force: true });
  return true;
};
