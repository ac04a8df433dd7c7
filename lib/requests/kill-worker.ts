/** Kills a worker of the consumer on this host, so that a developer can watch the failover. Off unless `TRY_IT_PORT` is set. */
import { execFile } from 'node:child_process';
import { kill } from 'node:process';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Deps } from '../deps.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { isCurrent } from './verdict.ts';

export type Killed = { workerId: string; pid: number; at: Date };

/** Who kills, for the log: an account, or an API key. */
type Operator = { userId: string | undefined; key: string | undefined };

type KillDeps = Pick<Deps, 'workers' | 'clock'> & {
  config: { readonly tryItPort?: number | undefined };
  log: Pick<Logger, 'warn'>;
};

/** Also where nothing may be killed at all: then there is no such route. */
class NoWorkerToKillError extends AppError {
  constructor(detail: string) {
    super(detail, { code: 'not-found', status: 404 });
  }
}

const askTimeoutMs = 2_000;

/** What the primary of a consumer says about its workers at `/healthz`. */
const health = z.object({
  pid: z.int().min(2),
  workers: z.array(
    z.object({
      pid: z.int().min(2).optional(),
      state: z.string(),
      snapshot: z.object({ workerId: z.string() }).optional(),
    }),
  ),
});

/** The primary's process, and the process in which it runs this worker now. */
const processesOf = async (
  workerId: string,
  port: number,
): Promise<{ primary: number; worker: number } | undefined> => {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(askTimeoutMs) });
  const { pid, workers } = health.parse(await answer.json());
  const found = workers.find(({ state, snapshot }) => state === 'running' && snapshot?.workerId === workerId);
  return found?.pid === undefined ? undefined : { primary: pid, worker: found.pid };
};

/** A process with this number that somebody else has started since has another parent. */
const parentOf = async (pid: number): Promise<number | undefined> => {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'ppid=', '-p', String(pid)]);
  return Number(stdout.trim()) || undefined;
};

/**
 * kill -9. Only a process is killed that is a worker of this installation now (its heartbeat in MongoDB is fresh), that the consumer on this
 * host runs now (its primary says so), and that is a child of that primary.
 *
 * @throws {AppError} 404 otherwise
 */
export const killWorker = async (
  { workerId, operator }: { workerId: string; operator: Operator },
  { workers, clock, config, log }: KillDeps,
): Promise<Killed> => {
  if (config.tryItPort === undefined) throw new NoWorkerToKillError('There is nothing here.');
  const heartbeat = (await workers.all()).find((one) => one.workerId === workerId);
  if (!heartbeat || heartbeat.gone || !isCurrent(heartbeat, clock.now()))
    throw new NoWorkerToKillError(`No worker ${workerId} is alive.`);
  const found = await processesOf(workerId, config.tryItPort).catch(() => undefined);
  const parent = found && (await parentOf(found.worker).catch(() => undefined));
  if (!found || parent !== found.primary)
    throw new NoWorkerToKillError(`The consumer on this host does not run the worker ${workerId}.`);
  const at = clock.now();
  kill(found.worker, 'SIGKILL');
  log.warn({ ...operator, workerId, workerPid: found.worker }, 'worker killed for "Try it"');
  return { workerId, pid: found.worker, at };
};
