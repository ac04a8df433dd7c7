/** A consumer with processes of its own, as the process that has started it sees it. */
import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { fileBeside } from '../file-beside.ts';
import { exitMarginMs } from '../limits.ts';
import type { Logger } from '../log.ts';
import { ConsumerFailedError } from './consumer-failed.ts';
import { drainOrder, isRunningReport } from './consumer-messages.ts';
import type { StartedConsumer } from './consumers.ts';
import { logOutput } from './output.ts';

const script = fileURLToPath(fileBeside(import.meta.url, 'consumer-process'));

/** What this process is told to run, to debug or to read is not for its children; how it loads modules is. */
const ownOptions = /^--?(e|p|pe|eval|print|inspect|watch|env-file|test|i|interactive|input-type|c|check)\b/;

/** The options of Node for the processes. An option's value may be an argument of its own, which begins with no dash. */
export const nodeOptionsOf = (execArgv: string[]): string[] => {
  let isOwn = false;
  return execArgv.filter((arg) => {
    if (arg.startsWith('-')) isOwn = ownOptions.test(arg);
    return !isOwn;
  });
};

/** Resolves when the processes have ended, or could not be started. */
const endOf = (child: ChildProcess): Promise<ConsumerFailedError | undefined> =>
  new Promise((resolve) => {
    child.once('error', (cause) => resolve(new ConsumerFailedError(null, null, cause)));
    child.once('exit', (code, signal) => resolve(code === 0 ? undefined : new ConsumerFailedError(code, signal)));
  });

const whenRunning = async (child: ChildProcess, ended: Promise<ConsumerFailedError | undefined>): Promise<void> => {
  const running = new Promise<undefined>((resolve) => {
    child.on('message', (message) => isRunningReport(message) && resolve(undefined));
  });
  const failure = await Promise.race([running, ended.then((error) => error ?? new ConsumerFailedError(0, null))]);
  if (failure) throw failure;
};

/** @throws {ConsumerFailedError} when it ended before a worker ran. Its log says why. */
export const startConsumerProcesses = async (
  env: NodeJS.ProcessEnv,
  { log, graceMs }: { log: Logger; graceMs: number },
): Promise<StartedConsumer> => {
  const execArgv = nodeOptionsOf(process.execArgv);
  const child = fork(script, { env, execArgv, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const lines = child.stdout && createInterface({ input: child.stdout });
  lines?.on('line', logOutput(log));
  const failed = Promise.withResolvers<unknown>();
  const ended = endOf(child);
  void ended.then((error) => {
    if (error && !closing) failed.resolve(error);
  });
  let closing: Promise<void> | undefined;
  const closesWithinMs = graceMs + 2 * exitMarginMs;
  const end = async (): Promise<void> => {
    const given = new AbortController();
    // Not a signal: one that its group got as well would be the second, which ends the runs at once.
    if (child.connected) child.send(drainOrder, () => {});
    const late = sleep(closesWithinMs, undefined, { signal: given.signal }).catch(() => undefined);
    await Promise.race([ended, late]);
    given.abort();
    child.kill('SIGKILL');
    lines?.close();
  };
  const close = (): Promise<void> => {
    closing ??= end();
    return closing;
  };
  await whenRunning(child, ended);
  const consumer = { failed: failed.promise, metrics: async () => '', close, [Symbol.asyncDispose]: close };
  return { consumer, closesWithinMs: closesWithinMs + exitMarginMs };
};
