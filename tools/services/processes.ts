/** Processes that outlive the command that started them. The start time tells them from a later process with the same pid. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { env } from 'node:process';
import which from 'which';
import { systemClock } from '../../lib/clock.ts';
import { pollUntil } from '../../lib/poll.ts';

/** The path of a program that is in one of these folders or in PATH. */
export const findBinary = (name: string, folders: string[] = []): string | undefined =>
  which.sync(name, { path: [...folders, env.PATH ?? ''].join(delimiter), nothrow: true }) ?? undefined;

/** `birth` is the start time of the process. */
export type StartedProcess = { pid: number; birth: string };

/** For macOS, which has no /proc. */
const birthFromPs = (pid: number): string | undefined => {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
};

/**
 * Field 22 of /proc/PID/stat is the start time; field 2, the name of the command, may hold spaces and parentheses. A zombie
 * keeps its files and its port while other threads of it run; field 20 counts all threads.
 */
const birthFromProc = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const isGone = fields[0] === 'Z' && Number(fields[17]) <= 1;
    return isGone ? undefined : fields[19];
  } catch {
    return undefined;
  }
};

/** `undefined` when no such process runs. */
export const birthOf = existsSync('/proc/self/stat') ? birthFromProc : birthFromPs;

export const isAlive = (started: StartedProcess): boolean => birthOf(started.pid) === started.birth;

/** @throws {Error} when no such process runs any more. */
export const processOf = (pid: number): StartedProcess => {
  const birth = birthOf(pid);
  if (birth === undefined) throw new Error(`The process ${pid} ended as soon as it was started.`);
  return { pid, birth };
};

/**
 * A queue that has held a message keeps 2 files open, so the usual limit of 1,024 is too low. The hard limit is taken, but
 * at most 200,000: Erlang reserves memory for each file, and some containers allow a thousand million.
 */
const raiseOpenFiles =
  'h=$(ulimit -Hn); if [ "$h" = unlimited ] || [ "$h" -gt 200000 ]; then h=200000; fi; ulimit -n "$h" 2>/dev/null; exec "$@"';

export type Command = {
  file: string;
  args: string[];
  /** The whole environment. Nothing is inherited, so that the caller's RABBITMQ_… variables do not leak in. */
  env: Record<string, string>;
  folder: string;
  logFile: string;
};

/** Starts a process in a session of its own. By hand, because execa keeps the command waiting for the process. */
export const startDetached = async ({ file, args, env, folder, logFile }: Command): Promise<StartedProcess> => {
  const log = openSync(logFile, 'a', 0o600);
  try {
    const options = { cwd: folder, env, detached: true, stdio: ['ignore', log, log] as ['ignore', number, number] };
    const child = spawn('sh', ['-c', raiseOpenFiles, 'sh', file, ...args], options);
    await once(child, 'spawn');
    child.unref();
    return processOf(child.pid as number);
  } finally {
    closeSync(log);
  }
};

/** The last lines of a log, for an error message. */
export const tail = (logFile: string, lines = 12): string =>
  existsSync(logFile) ? readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n') : '';

export type Awaited = { what: string; processes: StartedProcess[]; logFile: string; timeoutMs: number };

/** @throws {Error} with the end of the log, when a process ends or the time is over before `isReady`. */
export const untilReady = async (isReady: () => Promise<boolean>, awaited: Awaited): Promise<void> => {
  const { what, processes, logFile, timeoutMs } = awaited;
  const state = await pollUntil(systemClock, timeoutMs, async () => {
    if (await isReady()) return 'ready';
    return processes.every(isAlive) ? undefined : 'dead';
  });
  if (state === 'ready') return;
  const reason = state === 'dead' ? 'ended while it started' : `did not answer within ${timeoutMs / 1_000} s`;
  throw new Error(`${what} ${reason}. The end of ${logFile}:\n${tail(logFile)}`);
};

/** True when the process is gone. */
const signal = async (started: StartedProcess, name: NodeJS.Signals, timeoutMs: number): Promise<boolean> => {
  try {
    if (isAlive(started)) process.kill(started.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
  return (await pollUntil(systemClock, timeoutMs, async () => !isAlive(started) || undefined)) ?? false;
};

/** SIGTERM, and SIGKILL when the process is still there after `graceMs`. Returns when it is gone. */
export const stopProcess = async (started: StartedProcess, graceMs = 30_000): Promise<void> => {
  if (!(await signal(started, 'SIGTERM', graceMs))) await killProcess(started);
};

/** SIGKILL, as in a crash. Returns when the process is gone. */
export const killProcess = async (started: StartedProcess): Promise<void> => {
  const isGone = await signal(started, 'SIGKILL', 10_000);
  if (!isGone) throw new Error(`The process ${started.pid} still runs 10 s after SIGKILL.`);
};
