/** The figures of one trial under one load, as they go into the report. */
import { percentile } from './figures.ts';
import type { Verdict } from './judge.ts';
import type { CpuGroup, Measured } from './trial.ts';

export type Latencies = { p50: number; p99: number };

/** Rates for each second, processor time in ms for each request. */
export type Result = {
  accepted: number;
  endToEnd: number;
  /** What the contender's processes use: where requests come in, and where they run. */
  cpuOwn: number;
  cpuServers: number;
  cpu: Record<CpuGroup, number>;
  statements: number;
  verdict: Verdict;
};

const ownGroups = (hasApi: boolean): CpuGroup[] => [hasApi ? 'api' : 'client', 'workers'];
const serverGroups: CpuGroup[] = ['mongodb', 'rabbitmq', 'redis', 'postgres'];

/** @param hasApi the client is then no part of the contender. */
export const resultOf = (measured: Measured, hasApi = false): Result => {
  const { cpuMsPerRequest: cpu, statementsPerRequest } = measured;
  const sumOf = (groups: CpuGroup[]) => groups.reduce((sum, group) => sum + cpu[group], 0);
  // Updates that travel in commands are counted apart.
  const { updates: _, ...commands } = statementsPerRequest;
  return {
    accepted: measured.acceptedPerSecond,
    endToEnd: measured.endToEndPerSecond,
    cpuOwn: sumOf(ownGroups(hasApi)),
    cpuServers: sumOf(serverGroups),
    cpu,
    statements: Object.values(commands).reduce((sum, count) => sum + count, 0),
    verdict: measured.verdict,
  };
};

const keyOf = ({ user, n }: { user: number; n: number }): string => `${user}:${n}`;

/** From when each job was due to the start of its run. */
export const dueToStarted = ({ sent, runs }: Measured): Latencies => {
  const starts = new Map(runs.toReversed().map((run) => [keyOf(run), run.startedAt]));
  const waits = sent.map((job) => (starts.get(keyOf(job)) ?? Number.POSITIVE_INFINITY) - job.dueAt);
  return { p50: percentile(waits, 0.5), p99: percentile(waits, 0.99) };
};

/** @param acceptedAt by the keys of `keyOfBody`, in ms since the epoch. */
export const acceptedToStarted = ({ runs }: Measured, acceptedAt: Map<string, number>): Latencies => {
  const epoch = Date.now() - Number(process.hrtime.bigint()) / 1e6;
  const waits = runs.map((run) => run.startedAt + epoch - (acceptedAt.get(keyOf(run)) ?? Number.NaN));
  return { p50: percentile(waits, 0.5), p99: percentile(waits, 0.99) };
};

export const keyOfBody = (body: string): string => keyOf(JSON.parse(body));
