/** The servers of docker-compose.yml, on ports of this checkout's own, when a Docker engine answers. */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import { checkoutId } from './checkout.ts';
import { runCommand } from './commands.ts';
import { makeFolder, readJson, writeJson } from './private-server.ts';
import { amqpAnswers, freePort, mongoAnswers } from './probe.ts';

export type ServerName = 'rabbitmq' | 'mongodb';

type Settings = { port: number; password: string };

const folderOf = (root: string, server: ServerName): string => join(root, '.data', `compose-${server}`);
const settingsFile = (root: string, server: ServerName): string => join(folderOf(root, server), 'settings.json');
const startedFile = (root: string, server: ServerName): string => join(folderOf(root, server), 'started.json');

const engineTimeoutMs = 5_000;
const pullTimeoutMs = 300_000;

/** Why Docker Compose cannot be used here; `undefined` when it can. */
export const whyNoCompose = async (): Promise<string | undefined> => {
  try {
    await runCommand('docker', ['info'], { timeoutMs: engineTimeoutMs });
    await runCommand('docker', ['compose', 'version'], { timeoutMs: engineTimeoutMs });
    return undefined;
  } catch {
    return 'no Docker engine with Compose answers';
  }
};

const compose = (root: string, server: ServerName, settings: Settings, ...args: string[]): Promise<string> => {
  const project = `lanekeeper-${checkoutId(root)}`;
  const variables = {
    [`${server.toUpperCase()}_PORT`]: String(settings.port),
    RABBITMQ_PASSWORD: settings.password,
    RABBITMQ_MANAGEMENT_PORT: '0', // any
  };
  return runCommand('docker', ['compose', '-p', project, ...args, server], {
    timeoutMs: pullTimeoutMs,
    env: { ...env, ...variables },
    folder: root,
  });
};

const urlOf = (server: ServerName, settings: Settings): string =>
  server === 'rabbitmq'
    ? `amqp://lanekeeper:${settings.password}@127.0.0.1:${settings.port}`
    : `mongodb://127.0.0.1:${settings.port}/lanekeeper`;

/** The URL of the container that this checkout started, when it answers. */
export const runningContainer = async (root: string, server: ServerName): Promise<string | undefined> => {
  const settings = readJson<Settings>(startedFile(root, server));
  if (!settings) return undefined;
  const answers = server === 'rabbitmq' ? amqpAnswers : mongoAnswers;
  return (await answers({ host: '127.0.0.1', port: settings.port })) ? urlOf(server, settings) : undefined;
};

/** Returns the URL when the container is healthy; one that does not become so is stopped. @throws {Error} with what Docker said last. */
export const startContainer = async (root: string, server: ServerName): Promise<string> => {
  makeFolder(folderOf(root, server));
  const known = readJson<Settings>(settingsFile(root, server));
  const settings = known ?? { port: await freePort(), password: randomBytes(18).toString('base64url') };
  writeJson(settingsFile(root, server), settings);
  // Noted before it runs, so that one which can neither be used nor stopped now is stopped later.
  writeJson(startedFile(root, server), settings);
  try {
    await compose(root, server, settings, 'up', '--detach', '--wait');
  } catch (error) {
    await stopContainer(root, server).catch(() => undefined);
    throw error;
  }
  return urlOf(server, settings);
};

/** Stops the container that this checkout started; its volume stays. False when it started none. */
export const stopContainer = async (root: string, server: ServerName): Promise<boolean> => {
  const settings = readJson<Settings>(startedFile(root, server));
  if (!settings) return false;
  await compose(root, server, settings, 'stop');
  rmSync(startedFile(root, server), { force: true });
  return true;
};
