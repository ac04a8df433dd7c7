/** Processes that outlive the command that started them, named so that a pid given to another process is noticed. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** `birth` is when the process started: together they name one process for good, because pids are used again. */
export type StartedProcess = { pid: number; birth: string };

/** Linux without /proc does not exist, but macOS has none. */
const birthFromPs = (pid: number): string | undefined => {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
};

/**
 * The 22nd field of /proc/PID/stat; the second, the command's name, may hold spaces and parentheses. A zombie whose other
 * threads (the 20th field counts it too) are still going holds its files and its port until the last of them is gone.
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

/** When this process started; `undefined` when there is none. */
export const birthOf = (pid: number): string | undefined =>
  existsSync('/proc/self/stat') ? birthFromProc(pid) : birthFromPs(pid);

export const isAlive = (started: StartedProcess): boolean => birthOf(started.pid) === started.birth;

/** @throws {Error} when no such process runs any more. */
export const processOf = (pid: number): StartedProcess => {
  const birth = birthOf(pid);
  if (birth === undefined) throw new Error(`The process ${pid} ended at once.`);
  return { pid, birth };
};

/**
 * A queue that has held a message keeps 2 files open, so 1,024 open files are too few. The hard limit, but not more than
 * 200,000: Erlang reserves memory for each, and some containers allow a thousand million.
 */
const raiseOpenFiles =
  'h=$(ulimit -Hn); if [ "$h" = unlimited ] || [ "$h" -gt 200000 ]; then h=200000; fi; ulimit -n "$h" 2>/dev/null; exec "$@"';

export type Command = {
  file: string;
  args: string[];
  /** The whole environment: nothing is inherited, so that the caller's RABBITMQ_… variables do not leak in. */
  env: Record<string, string>;
  folder: string;
  logFile: string;
};

/** Starts it in a session of its own, with none of our streams open, and returns when it runs. */
export const startDetached = async (command: Command): Promise<StartedProcess> => {
  const log = openSync(command.logFile, 'a', 0o600);
  try {
    const child = spawn('sh', ['-c', raiseOpenFiles, 'sh', command.file, ...command.args], {
      cwd: command.folder,
      env: command.env,
      detached: true,
      stdio: ['ignore', log, log],
    });
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    child.unref();
    return processOf(child.pid as number);
  } finally {
    closeSync(log);
  }
};

/** The last lines of a log, for an error message. */
export const tail = (logFile: string, lines = 12): string => {
  if (!existsSync(logFile)) return '';
  return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
};

export type Awaited = { what: string; processes: StartedProcess[]; logFile: string; timeoutMs: number };

/** @throws {Error} with the end of the log, when one of the processes ends or the time is over before `isReady`. */
export const untilReady = async (isReady: () => Promise<boolean>, awaited: Awaited): Promise<void> => {
  const deadline = Date.now() + awaited.timeoutMs;
  while (!(await isReady())) {
    const dead = awaited.processes.some((started) => !isAlive(started));
    if (dead || Date.now() > deadline) {
      const reason = dead ? 'ended while it started' : `did not answer within ${awaited.timeoutMs / 1_000} s`;
      throw new Error(`${awaited.what} ${reason}. ${awaited.logFile} ends with:\n${tail(awaited.logFile)}`);
    }
    await sleep(50);
  }
};

const signal = (started: StartedProcess, name: NodeJS.Signals): void => {
  try {
    if (isAlive(started)) process.kill(started.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

const untilGone = async (started: StartedProcess, timeoutMs: number): Promise<boolean> => {
  const deadline = Date.now() + timeoutMs;
  while (isAlive(started)) {
    if (Date.now() > deadline) return false;
    await sleep(20);
  }
  return true;
};

/** SIGTERM, and SIGKILL for what is still there after `graceMs`. Returns when it is gone. */
export const stopProcess = async (started: StartedProcess, graceMs = 30_000): Promise<void> => {
  signal(started, 'SIGTERM');
  if (await untilGone(started, graceMs)) return;
  await killProcess(started);
};

/** SIGKILL: what a crash looks like. Returns when it is gone. */
export const killProcess = async (started: StartedProcess): Promise<void> => {
  signal(started, 'SIGKILL');
  if (!(await untilGone(started, 10_000))) throw new Error(`The process ${started.pid} does not end.`);
};
