/** What processes cost. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { nowMs } from '../../tools/load.ts';
import { readRunning } from '../../tools/services/private-server.ts';
import { rabbitmqctl } from '../../tools/services/rabbitmq.ts';
import type { PrivateServer } from '../support/private-servers.ts';

const ticksPerSecond = 100;

/** The process, and those below it. */
export const familyOf = (pid: number): number[] => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(familyOf)];
};

export const residentBytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;

/** Of all threads of these processes. */
const cpuSeconds = (pids: number[]): number =>
  pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return sum + (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  }, 0);

/** The part of one core that these processes use for so long. */
export const loadOver = async (pids: number[], seconds: number): Promise<number> => {
  const before = cpuSeconds(pids);
  const startedAt = nowMs();
  await sleep(seconds * 1_000);
  return (cpuSeconds(pids) - before) / ((nowMs() - startedAt) / 1_000);
};

/** The processes that were started for a private server, and those below them. */
export const pidsOf = ({ folder }: PrivateServer): number[] =>
  (readRunning(folder)?.processes ?? []).flatMap(({ pid }) => familyOf(pid));

/** The Erlang machine. */
export const brokerPid = async ({ folder }: PrivateServer): Promise<number> =>
  Number((await rabbitmqctl(folder, ['--quiet', 'eval', 'io:format("~s", [os:getpid()]).'])).match(/\d+/)?.[0]);
