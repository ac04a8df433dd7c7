/** How long users wait when the worker that runs their requests is killed, or when its whole container is frozen. */
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Spec } from './contenders.ts';
import type { BenchServers, Sync } from './servers.ts';
import { monotonicMs } from './sides.ts';
import { openTrial, type Trial } from './trial.ts';

/** Each has one run under way. */
const users = 1_000;
const timeoutMs = 60_000;

/** In ms from the fault: when the worst user's run had started again. */
export type Failover = { usersHit: number; worstMs: number };

const until = async (isSo: () => boolean): Promise<void> => {
  const from = monotonicMs();
  while (!isSo()) {
    if (monotonicMs() - from > timeoutMs) throw new Error(`Not within ${timeoutMs / 1_000} s of the fault.`);
    await sleep(5);
  }
};

/** Starts a run of each user that lasts until it is released. Then the fault hits some workers. */
const measureFault = async (
  trial: Trial,
  hit: () => Promise<{ pids: number[]; mend: () => void }>,
): Promise<Failover> => {
  const { log } = trial;
  await trial.send({ users, count: users, isHeld: true, inFlight: 64 });
  await until(() => log.starts().length >= users);
  const before = log.starts().length;
  const { pids, mend } = await hit();
  const faultAt = monotonicMs();
  const hitUsers = new Set(
    log
      .starts()
      .filter(({ worker }) => pids.includes(worker))
      .map(({ user }) => user),
  );
  const again = () =>
    log
      .starts()
      .slice(before)
      .filter(({ user }) => hitUsers.has(user));
  try {
    await until(() => new Set(again().map(({ user }) => user)).size === hitUsers.size);
  } finally {
    mend();
  }
  log.release();
  await trial.untilSettled();
  return { usersHit: hitUsers.size, worstMs: Math.max(...again().map(({ startedAt }) => startedAt)) - faultAt };
};

/** The other worker must have room for the runs of both. */
const room = { CONCURRENCY: String(users * 2) };

export const measureKill = async (spec: Spec, servers: BenchServers, sync: Sync): Promise<Failover> => {
  const trial = await openTrial(spec, servers, { users, sync, settings: room });
  try {
    return await measureFault(trial, async () => {
      const [worker] = (await trial.consumers[0]?.statuses()) ?? [];
      const pid = worker?.pid as number;
      process.kill(pid, 'SIGKILL');
      return { pids: [pid], mend: () => undefined };
    });
  } finally {
    await trial.close();
  }
};

/** Two consumers, as in two containers, of which one is stopped with all its processes. */
export const measureFreeze = async (spec: Spec, servers: BenchServers, sync: Sync): Promise<Failover> => {
  const trial = await openTrial(spec, servers, { users, sync, consumers: 2, settings: { ...room, WORKERS: '1' } });
  try {
    return await measureFault(trial, async () => {
      const [frozen] = trial.consumers;
      const pids = ((await frozen?.statuses()) ?? []).flatMap(({ pid }) => pid ?? []);
      const group = -(frozen?.pid as number);
      process.kill(group, 'SIGSTOP');
      return { pids, mend: () => process.kill(group, 'SIGCONT') };
    });
  } finally {
    await trial.close();
  }
};
