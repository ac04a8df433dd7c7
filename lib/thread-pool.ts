import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';

/** Starting a thread takes about as long as one of its tasks. */
const idleMs = 60_000;

/** Threads that run the functions which the file exports. They start when they are needed first. */
export const createThreadPool = (file: URL, maxThreads: number): Piscina =>
  new Piscina({
    filename: fileURLToPath(file),
    minThreads: 0,
    maxThreads,
    idleTimeout: idleMs,
    // A thread needs no secret of this process, and none of the modules that the process was told to load.
    env: {},
    execArgv: [],
  });
