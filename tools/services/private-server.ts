/**
 * A server that this checkout started: a folder with its settings, its data, its log, and a note of what runs. By hand,
 * because the servers outlive the command and must be found again; libraries end theirs with the process.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Found } from './choose.ts';
import { freePort, isFree, type Probe } from './probe.ts';
import { isAlive, killProcess, type StartedProcess, stopProcess, untilReady } from './processes.ts';

/** The processes in the order in which they were started; they are stopped in the opposite order. */
export type Running = Pick<Found, 'url' | 'label' | 'hasRoleUsers'> & { processes: StartedProcess[] };

export type Settings<Port extends string> = { password: string; cookie: string; ports: Record<Port, number> };

const noteFile = (folder: string): string => join(folder, 'running.json');

/** JSON that only this user may read: it holds passwords. */
export const writeJson = (file: string, value: unknown): void =>
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });

export const readJson = <T>(file: string): T | undefined =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined;

export const makeFolder = (...parts: string[]): string => {
  const folder = join(...parts);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
};

/** The password and ports of the last start; new ports if another program has taken one in the meantime. */
export const settingsOf = async <Port extends string>(
  folder: string,
  names: readonly Port[],
): Promise<Settings<Port>> => {
  const file = join(makeFolder(folder), 'settings.json');
  const old = readJson<Settings<Port>>(file);
  const ports: Record<string, number> = { ...old?.ports };
  const areFree = await Promise.all(names.map(async (name) => name in ports && isFree(ports[name] as number)));
  if (areFree.includes(false)) for (const name of names) ports[name] = await freePort();
  const secrets = { password: randomBytes(18).toString('base64url'), cookie: randomBytes(18).toString('hex') };
  const settings = { ...secrets, ...old, ports };
  writeJson(file, settings);
  return settings;
};

/** Written as soon as a process runs, so that a half-started server is found and stopped. */
export const noteRunning = (folder: string, running: Running): void => writeJson(noteFile(folder), running);

/** The server that was started in this folder, unless all its processes have ended. */
export const readRunning = (folder: string): Running | undefined => {
  const running = readJson<Running>(noteFile(folder));
  return running?.processes.some(isAlive) ? running : undefined;
};

/** The server that runs in this folder, if it answers. Waits long enough that a busy server is not replaced. */
export const answeringServer = async (folder: string, probe: Probe): Promise<Running | undefined> => {
  const running = readRunning(folder);
  if (!running) return undefined;
  const awaited = { what: running.label, processes: running.processes, logFile: folder, timeoutMs: 20_000 };
  return untilReady(async () => !(await probe(running.url)), awaited).then(
    () => running,
    () => undefined,
  );
};

const endAll = async (folder: string, end: (started: StartedProcess) => Promise<void>): Promise<boolean> => {
  const running = readRunning(folder);
  for (const started of running?.processes.toReversed() ?? []) await end(started);
  rmSync(noteFile(folder), { force: true });
  return running !== undefined;
};

/** Stops the server of this folder cleanly, and waits for its end. False when none was running. */
export const stopServer = (folder: string): Promise<boolean> => endAll(folder, (started) => stopProcess(started));

/** The same with SIGKILL, as in a crash. */
export const killServer = (folder: string): Promise<boolean> => endAll(folder, killProcess);

/** Starts the server of this folder, or finds it running. A failed start leaves no process behind. */
export const startOnce = async (folder: string, probe: Probe, start: () => Promise<Running>): Promise<Running> => {
  const running = await answeringServer(makeFolder(folder), probe);
  if (running) return running;
  await stopServer(folder);
  try {
    return await start();
  } catch (error) {
    await stopServer(folder);
    throw error;
  }
};
