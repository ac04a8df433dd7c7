/** A consumer with processes of its own, as the process that has started it sees it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { fileBeside } from '../file-beside.ts';
import { exitMarginMs } from '../limits.ts';
import type { Logger } from '../log.ts';
import { ConsumerFailedError } from './consumer-failed.ts';
import type { Consumer } from './types.ts';

const script = fileURLToPath(fileBeside(import.meta.url, 'consumer-process'));

const levels = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' } as const;

/** Log lines go to the logger. What the processor prints goes where this process prints. */
const passOn = (line: string, log: Logger): void => {
  try {
    const {
      level,
      time: _,
      msg,
      ...fields
    } = JSON.parse(line) as { level: keyof typeof levels; time: string; msg?: string };
    log[levels[level]](fields, msg);
  } catch {
    process.stdout.write(`${line}\n`);
  }
};

const whenRunning = async (child: ChildProcess): Promise<void> => {
  const running = new Promise<void>((resolve) => {
    child.on('message', (message: unknown) => {
      if ((message as { lanekeeper?: unknown } | null)?.lanekeeper === 'running') resolve();
    });
  });
  const exited = once(child, 'exit').then(([code, signal]) => {
    throw new ConsumerFailedError(code, signal);
  });
  await Promise.race([running, exited]);
};

/** @throws {ConsumerFailedError} when it ended before a worker ran. Its log says why. */
export const startConsumerProcesses = async (
  env: NodeJS.ProcessEnv,
  { log, graceMs }: { log: Logger; graceMs: number },
): Promise<Consumer> => {
  const child = fork(script, { env, execArgv: [], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  lines.on('line', (line) => passOn(line, log));
  const failed = Promise.withResolvers<unknown>();
  const exited = once(child, 'exit');
  let isClosing = false;
  void exited.then(([code, signal]) => {
    if (!isClosing) failed.resolve(new ConsumerFailedError(code, signal));
  });
  const close = async (): Promise<void> => {
    isClosing = true;
    const given = new AbortController();
    child.kill('SIGTERM');
    const late = sleep(graceMs + 2 * exitMarginMs, true, { signal: given.signal }).catch(() => false);
    if (child.exitCode === null && child.signalCode === null) await Promise.race([exited, late]);
    given.abort();
    child.kill('SIGKILL');
    lines.close();
  };
  await whenRunning(child);
  return { failed: failed.promise, metrics: async () => '', close, [Symbol.asyncDispose]: close };
};
