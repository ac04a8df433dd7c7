import process, { exit, ppid, stdout } from 'node:process';

export type StopRequest = { isRequested(): boolean; requested: Promise<void> };

/** npm may pass on the same Ctrl-C that the terminal sent to us too. Only a later signal is a second one. */
const sameRequestMs = 500;

/**
 * Waits for Ctrl-C, SIGTERM, the end of the terminal, or the end of the npm that started us. By hand, because npm and the
 * terminal may both send the same signal. A second signal runs `force`, which must be quick, and ends this process.
 */
export const listenForStop = (say: (line: string) => void, force: () => void): StopRequest => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let requestedAt: number | undefined;

  const onStop = (reason: string): void => {
    if (requestedAt === undefined) {
      requestedAt = Date.now();
      say(`${reason}: stopping. Running requests end first; press Ctrl-C again to stop at once.`);
      resolve();
    } else if (Date.now() - requestedAt > sameRequestMs) {
      force();
      exit(1);
    }
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onStop);

  const parentWatch = setInterval(() => {
    if (process.ppid === ppid) return;
    clearInterval(parentWatch);
    onStop('the command that started this has ended');
  }, 1_000).unref();

  // The terminal may be gone; what was started must be stopped all the same.
  stdout.on('error', () => undefined);
  return { isRequested: () => requestedAt !== undefined, requested: promise };
};
