/**
 * A process of a chaos run. Its log goes to a file and, line by line, to `onLine`. It is killed when this process
 * exits.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import process, { execPath } from 'node:process';
import { createInterface } from 'node:readline';

export type LogLine = Record<string, unknown> & { msg?: string; pid?: number; workerPid?: number };

export type Child = {
  pid: number;
  /** Does nothing when the process has exited. */
  signal(name: NodeJS.Signals): void;
  hasExited(): boolean;
  exited: Promise<number | null>;
};

const ownRoot = join(import.meta.dirname, '..', '..');
const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Signals a process that may have exited. */
export const signalPid = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

type Start = {
  script: string;
  /** The checkout that the script belongs to. Default: this one. */
  root?: string;
  env: Record<string, string>;
  logFile: string;
  onLine?: (line: LogLine) => void;
};

export const startChild = ({ script, root = ownRoot, env, logFile, onLine }: Start): Child => {
  const log = createWriteStream(logFile, { flags: 'a' });
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const child = spawn(execPath, ['--no-warnings', script], {
    cwd: root,
    env: { PATH, NODE_COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  alive.add(child);
  createInterface({ input: child.stdout }).on('line', (line) => {
    log.write(`${line}\n`);
    if (line.startsWith('{')) onLine?.(JSON.parse(line) as LogLine);
  });
  child.stderr.on('data', (bytes: Buffer) => log.write(bytes));
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      alive.delete(child);
      resolve(code);
    });
  });
  child.once('close', () => log.end());
  return {
    pid: child.pid as number,
    signal: (name) => void child.kill(name),
    hasExited: () => !alive.has(child),
    exited,
  };
};
