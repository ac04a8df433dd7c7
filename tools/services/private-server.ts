/** One server that this checkout started: a folder with its settings, its data, its log, and a note of what runs. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Address } from './probe.ts';
import { isAlive, killProcess, type StartedProcess, stopProcess, untilReady } from './processes.ts';

/** In the order in which they were started; they are stopped the other way round. */
export type Running = { url: string; label: string; processes: StartedProcess[] };

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

/** Written as soon as a process runs, so that one that was left half started is found and stopped. */
export const noteRunning = (folder: string, running: Running): void => writeJson(noteFile(folder), running);

/** What was started in this folder and has not all ended. */
export const readRunning = (folder: string): Running | undefined => {
  const running = readJson<Running>(noteFile(folder));
  return running?.processes.some(isAlive) ? running : undefined;
};

/** Long enough for one that is busy, so that nothing in use is taken for dead. */
const answerTimeoutMs = 20_000;

/** What runs in this folder, when it also answers. */
export const answeringServer = async (
  folder: string,
  answers: (address: Address) => Promise<boolean>,
): Promise<Running | undefined> => {
  const running = readRunning(folder);
  if (!running) return undefined;
  const { hostname, port } = new URL(running.url);
  const isReady = () => answers({ host: hostname, port: Number(port) });
  const awaited = { what: running.label, processes: running.processes, logFile: folder, timeoutMs: answerTimeoutMs };
  return untilReady(isReady, awaited).then(
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

/** Ends what was started in this folder, cleanly, and waits for it. False when nothing ran. */
export const stopServer = (folder: string): Promise<boolean> => endAll(folder, (started) => stopProcess(started));

/** The same with SIGKILL: what a crash of the server looks like. */
export const killServer = (folder: string): Promise<boolean> => endAll(folder, killProcess);

/** Starts what belongs in this folder, or finds it running. One that does not come up leaves nothing behind. */
export const startOnce = async (
  folder: string,
  answers: (address: Address) => Promise<boolean>,
  start: () => Promise<Running>,
): Promise<Running> => {
  makeFolder(folder);
  const running = await answeringServer(folder, answers);
  if (running) return running;
  await stopServer(folder);
  try {
    return await start();
  } catch (error) {
    await stopServer(folder);
    throw error;
  }
};
