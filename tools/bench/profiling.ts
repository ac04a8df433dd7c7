/** Records CPU profiles of running processes that were started with `record-profile.ts`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { kill } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CpuProfile, readProfile } from './profile.ts';

/** The process reads PROFILE_FOLDER. */
export const profileOptions = ['--import', new URL('record-profile.ts', import.meta.url).href];

const writeTimeoutMs = 20_000;

const profileFile = (folder: string, pid: number): string => join(folder, `${pid}.cpuprofile`);

/** Written in one go, but not at once: it is there when it can be parsed. */
const untilWritten = async (file: string): Promise<CpuProfile> => {
  const deadline = Date.now() + writeTimeoutMs;
  for (;;) {
    try {
      if (existsSync(file)) return readProfile(file);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    if (Date.now() > deadline) throw new Error(`No profile in ${file}.`);
    await sleep(100);
  }
};

const signalAll = (pids: number[]): void => {
  for (const pid of pids) kill(pid, 'SIGUSR2');
};

/** What the processes did while `work` ran, in the order of `pids`. */
export const recordWhile = async (
  folder: string,
  pids: number[],
  work: () => Promise<unknown>,
): Promise<CpuProfile[]> => {
  signalAll(pids);
  await work();
  signalAll(pids);
  return Promise.all(pids.map((pid) => untilWritten(profileFile(folder, pid))));
};
