/** The processor time of processes and all that they started, from the kernel's own counters. Linux alone. */
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ, which is 100 on every Linux that Node runs on. */
const msPerTick = 10;

type Stat = { pid: number; parent: number; ms: number };

const statOf = (pid: number): Stat | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    // Its own time, and that of children that have ended.
    const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + (fields[index] ?? 0), 0);
    return { pid, parent: fields[1] ?? 0, ms: ticks * msPerTick };
  } catch {
    return undefined;
  }
};

const allStats = (): Stat[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(Number(name)) ?? []);

/** By the names of the groups: the processor time of the processes and their descendants, in ms. A process may be named beside its parent. */
export const cpuMsOf = <Name extends string>(groups: Record<Name, number[]>): Record<Name, number> => {
  const stats = allStats();
  const children = Map.groupBy(stats, ({ parent }) => parent);
  const msOf = new Map(stats.map(({ pid, ms }) => [pid, ms]));
  const treeOf = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap((child) => treeOf(child.pid))];
  const sums = Object.entries<number[]>(groups).map(([name, pids]) => {
    const all = new Set(pids.flatMap(treeOf));
    return [name, [...all].reduce((sum, pid) => sum + (msOf.get(pid) ?? 0), 0)];
  });
  return Object.fromEntries(sums);
};
