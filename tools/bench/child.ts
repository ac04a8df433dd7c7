/** The processes that are measured, each with its log in a file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { tail } from '../services/processes.ts';

const root = join(import.meta.dirname, '..', '..');
const stopTimeoutMs = 30_000;

export type BenchChild = {
  process: ChildProcess;
  /** Rejects when it ends, with the end of its log; never resolves. */
  death: Promise<never>;
  stop(): Promise<void>;
};

export type ChildOptions = {
  /** From the root of the repository. */
  script: string;
  name: string;
  env: Record<string, string>;
  /** Of its log. */
  folder: string;
  nodeOptions?: string[];
  args?: string[];
};

export const startChild = ({ script, name, env, folder, nodeOptions = [], args = [] }: ChildOptions): BenchChild => {
  const logFile = join(folder, `${name}.log`);
  const log = openSync(logFile, 'a');
  const child = spawn(execPath, [...nodeOptions, join(root, script), ...args], {
    cwd: root,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const exited = once(child, 'exit');
  // Whatever ends the benchmark ends what it measures.
  const end = () => void child.kill('SIGKILL');
  process.once('exit', end);
  const death = exited.then(([code, signal]) => {
    throw new Error(`${name} ended (${signal ?? code}). Its log ends with:\n${tail(logFile)}`);
  });
  death.catch(() => undefined);
  return {
    process: child,
    death,
    stop: async () => {
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
      await exited;
      clearTimeout(kill);
      process.off('exit', end);
    },
  };
};
