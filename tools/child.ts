/** The Node processes that `npm start` and the benchmark run, each with its output in a log file. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import process, { execPath } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { systemClock } from '../lib/clock.ts';
import { fileBeside } from '../lib/file-beside.ts';
import { pollUntil } from '../lib/poll.ts';
import { root } from './run-tool.ts';
import { tail } from './services/processes.ts';

export type ChildCommand = {
  name: string;
  /** A script and its arguments. */
  args: string[];
  /** The working folder: the checkout's by default. */
  cwd?: string;
  /** The whole environment. */
  env: NodeJS.ProcessEnv;
  logFile: string;
  /** The time from SIGTERM to SIGKILL. */
  graceMs: number;
  /** Called with every line of the output. */
  onLine?: (line: string) => void;
};

/** Processes that a child left behind may hold its output open for longer. */
const lastOutputMs = 500;

/** Ends the child, and all that it started, when this process has ended without ending it. */
const endWithParent = ['--import', fileBeside(import.meta.url, 'end-with-parent').href];

/** In a session of its own, which Ctrl-C in the terminal does not reach: the parent stops its children in its own order. */
export const startChild = ({ name, args, cwd = root, env, logFile, graceMs, onLine }: ChildCommand) => {
  const options = { cwd, env, extendEnv: false, detached: true, reject: false, buffer: false } as const;
  const command = [...endWithParent, ...args];
  const child = execa(execPath, command, { ...options, stdin: 'pipe', all: true, forceKillAfterDelay: graceMs });
  const log = createWriteStream(logFile, { mode: 0o600 });
  const forward = async (): Promise<void> => {
    for await (const line of child.iterable({ from: 'all' })) {
      log.write(`${line}\n`);
      onLine?.(line);
    }
  };
  const output = forward();
  const exit = once(child.nodeChildProcess, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const death = exit.then(async ([code, signal]): Promise<never> => {
    await Promise.race([output, sleep(lastOutputMs)]);
    await new Promise((resolve) => log.end(resolve));
    const reason = signal ? `by ${signal}` : `with code ${code}`;
    throw new Error(`${name} ended ${reason}. The end of ${logFile}:\n${tail(logFile)}`);
  });
  death.catch(() => undefined);
  /** Kills the child's own children too, which are left over when it died before it could end them. */
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  return {
    name,
    pid: child.pid,
    /** Rejects when the child ends, with the reason and the end of its log; never resolves. */
    death,
    /** @throws {Error} when the child ends or the time is over before `isSo`. A check that throws counts as a no. */
    until: async (what: string, timeoutMs: number, isSo: () => Promise<boolean>): Promise<void> => {
      const check = async () => (await isSo().catch(() => false)) || undefined;
      const isDone = await Promise.race([pollUntil(systemClock, timeoutMs, check), death]);
      if (!isDone) throw new Error(`${name}: not within ${timeoutMs / 1_000} s: ${what}.`);
    },
    /** SIGTERM, and SIGKILL after `graceMs`. Resolves when the child is gone. */
    stop: async (): Promise<void> => {
      child.kill('SIGTERM');
      await exit;
      kill();
    },
    kill,
    /** Of a consumer: it replaces its workers. */
    reload: (): void => void child.kill('SIGUSR2'),
  };
};

export type Child = ReturnType<typeof startChild>;
