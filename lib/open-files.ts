/** The limit of open files (`ulimit -n`), held against what the configuration allows. */
import type { Config } from './config.ts';
import type { Logger } from './log.ts';

/** Node's own files, the log, libraries, and a margin. */
const ownFiles = 100;
/** The most connections to MongoDB and to RabbitMQ. */
const serverFiles = 70;
/** Pipes and the channel of a child process, in its parent. */
const filesPerChild = 4;

type Report = { userLimits?: { open_files?: { soft: number | string } } };

/** Node raises it to the hard limit when it starts. `undefined` where there is none, or where the system has no such limit. */
export const openFilesLimit = (): number | undefined => {
  // Otherwise the report looks up the name of every open connection's host. The types do not know it yet.
  Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = process.report.getReport() as Report;
  const limit = Number(userLimits?.open_files?.soft);
  return Number.isFinite(limit) ? limit : undefined;
};

/** Each connection is an open file. */
export const filesOfApi = ({ maxConnections }: Pick<Config, 'maxConnections'>): number =>
  maxConnections + serverFiles + ownFiles;

/** As many connections as the limit of open files leaves room for. */
export const connectionsWithin = (maxConnections: number, limit = openFilesLimit()): number => {
  if (limit === undefined) return maxConnections;
  // With a very low limit the servers must do with fewer files.
  const left = Math.max(limit - filesOfApi({ maxConnections: 0 }), Math.floor(limit / 8), 1);
  return Math.min(maxConnections, left);
};

/** Of a worker, which needs the most: a run may well have a connection of its own. */
export const filesOfWorker = ({
  concurrency,
  isolatedProcesses,
}: Pick<Config, 'concurrency' | 'isolatedProcesses'>): number =>
  concurrency + isolatedProcesses * filesPerChild + serverFiles + ownFiles;

/** @param what what the number comes from, and what may be lowered. */
export const warnOfFewFiles = (
  log: Pick<Logger, 'warn'>,
  needed: number,
  what: string,
  limit = openFilesLimit(),
): void => {
  if (limit === undefined || limit >= needed) return;
  log.warn(
    { limit, needed },
    `${limit} open files are too few for ${what}: raise ulimit -n to ${needed}, or lower what needs them`,
  );
};
