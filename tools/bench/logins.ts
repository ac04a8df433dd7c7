/** What logins cost the other calls: enqueues at a pace, first alone, then beside logins that hash without a pause. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../api-client.ts';
import { nowMs, openLoop } from './load.ts';
import type { System } from './system.ts';

const userCount = 20;
/** For 20 s: the p99 is then that of the ten slowest. */
const paced = { ratePerSecond: 50, count: 1_000 };
const concurrentLogins = 50;
/** As `Retry-After` of `busy` says, but not all callers at the same moment. */
const retryMs = 1_000;

/** Latencies in ms, from when each enqueue was due to its answer. `logins` were answered meanwhile. */
export type BesideLogins = { quiet: number[]; beside: number[]; concurrentLogins: number; logins: number };

export const measureBesideLogins = async (system: System): Promise<BesideLogins> => {
  const users = await system.connect(userCount);
  const userOf = (index: number): Client => users[index % userCount] as Client;
  const enqueueAtPace = async (): Promise<number[]> => {
    const latencies: number[] = [];
    await openLoop(paced, async (index, dueAt) => {
      await system.post(userOf(index), { text: `request ${index}` });
      latencies.push(nowMs() - dueAt);
    });
    return latencies;
  };
  // Opens the queues, and warms the API up.
  await enqueueAtPace();
  const quiet = await enqueueAtPace();
  let logins = 0;
  let isOver = false;
  const logInUntilOver = async (): Promise<void> => {
    while (!isOver) {
      if (await system.logInAsNobody()) logins += 1;
      else await sleep(retryMs * (0.5 + Math.random()));
    }
  };
  const storm = Array.from({ length: concurrentLogins }, logInUntilOver);
  const beside = await enqueueAtPace();
  const answered = logins;
  isOver = true;
  await Promise.all(storm);
  return { quiet, beside, concurrentLogins, logins: answered };
};
