/** The runs of all worker processes, as they tell them over a socket: who ran, and when. The same for every contender. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, monotonicMs } from './sides.ts';

/** Times of the monotonic clock, in ms. */
export type Run = { user: number; n: number; startedAt: number; endedAt: number; worker: number };

const flushMs = 5;

/** In a worker: runs a job of the benchmark, and tells it. */
export const createRecorder = (path: string) => {
  const socket = connect(path);
  let lines = '';
  let isWaiting = false;
  const flush = () => {
    isWaiting = false;
    socket.write(lines);
    lines = '';
  };
  const releases: (() => void)[] = [];
  // The benchmark sends data only to let held runs go on. An error means that the benchmark has ended.
  socket
    .on('error', () => undefined)
    .on('data', () => {
      for (const release of releases.splice(0)) release();
    });
  return {
    work: async ({ user, n, holdMs = 0, isHeld = false }: Job): Promise<void> => {
      const startedAt = monotonicMs();
      if (isHeld) {
        socket.write(`${[user, n, startedAt, 0, process.pid]}\n`);
        await new Promise<void>((resolve) => releases.push(resolve));
      }
      if (holdMs > 0) await sleep(holdMs);
      lines += `${[user, n, startedAt, monotonicMs(), process.pid]}\n`;
      if (isWaiting) return;
      isWaiting = true;
      setTimeout(flush, flushMs);
    },
    close: () => void socket.destroy(),
  };
};

const parse = (line: string): Run => {
  const [user = 0, n = 0, startedAt = 0, endedAt = 0, worker = 0] = line.split(',').map(Number);
  return { user, n, startedAt, endedAt, worker };
};

export type RunLog = Awaited<ReturnType<typeof openRunLog>>;

/** @param path of the socket. */
export const openRunLog = async (path: string) => {
  let runs: Run[] = [];
  let starts: Run[] = [];
  let isReleased = false;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    createInterface(socket).on('line', (line) => {
      const run = parse(line);
      if (run.endedAt > 0) return void runs.push(run);
      starts.push(run);
      if (isReleased) socket.write('go on');
    });
  });
  await once(server.listen(path), 'listening');
  return {
    /** Those that have ended. */
    runs: (): Run[] => runs,
    /** Those that were held, also if they have not ended. */
    starts: (): Run[] => starts,
    /** Ends all runs that are held, and those that start later: a run may start again. */
    release: (): void => {
      isReleased = true;
      for (const socket of sockets) socket.write('go on');
    },
    forget: (): void => {
      runs = [];
      starts = [];
      isReleased = false;
    },
    close: (): void => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
};
