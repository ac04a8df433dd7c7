/**
 * Consumers scale from 1 to 10 and back to 1 while users send, by `GET /backlog` alone. `npm run test:autoscaling` runs this file and
 * prints its figures; docs/kubernetes.md has them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { openLoop } from '../../tools/load.ts';
import { summarize, waitsOf } from '../chaos/waits.ts';
import { judgeHistory } from '../judge/judge.ts';
import { eventually } from '../support/world.ts';
import { openSystem } from '../system/system.ts';
import { Autoscaler } from './autoscaler.ts';

/** Runs take 1 s on average, so a consumer with 4 slots settles 4 requests a second, and 10 of them 40. */
const work = { WORKERS: '1', CONCURRENCY: '4', LONGEST_RUN_MS: '2000', PENDING_PER_WORKER: '3', SWEEP_MS: '1000' };
/** A process that starts slowly on a busy machine is not frozen, and each has time to end its runs. */
const patience = { GRACE_MS: '20000', FROZEN_AFTER_MS: '30000', WORKER_HANG_MS: '60000' };
const scaling = { maxConsumers: 10, target: 1, everyMs: 2_000, stabilizationMs: 15_000 };
const calm = { ratePerSecond: 1, count: 10 };
const rush = { ratePerSecond: 30, count: 1_200 };
const users = 80;
/** The documented limit: docs/kubernetes.md. The consumers of a machine with two cores start slowly, and all at a time. */
const longestWaitMs = 60_000;

/** As a real client does, it sends again what the API could not accept in time, or what a broken connection left without an answer. */
const untilAnswered = async <T>(call: () => Promise<T | undefined> | undefined): Promise<T> => {
  for (;;) {
    const answer = await call()?.catch(() => undefined);
    if (answer !== undefined) return answer;
    await sleep(100);
  }
};

test('consumers scale 1, 10, 1 under load: nothing is lost or out of order, and no request waits for longer than documented', async () => {
  await using system = await openSystem({ LANES: '64' });
  const clients = await Promise.all(Array.from({ length: users }, (_, n) => system.client(`user-${n}`)));
  const send = async (index: number): Promise<void> => {
    const client = clients[index % users];
    await untilAnswered(() => client?.enqueue(index, `request-${index}`));
  };
  const scaler = new Autoscaler((n) => system.consumer(`consumer-${n}`, { ...work, ...patience }), scaling);
  const ending = new AbortController();
  const scaled = scaler.runUntil(ending.signal);
  await using _ended = {
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      await scaled;
    },
  };
  const { stopped, samples } = scaler;

  await eventually('the first consumer answers', () => samples.length > 0, 120_000);
  await openLoop(calm, send);
  expect(scaler.consumers).toBe(1);
  await openLoop(rush, (index) => send(calm.count + index));
  await openLoop(calm, (index) => send(calm.count + rush.count + index));
  await eventually('one consumer is left', () => scaler.consumers === 1, 180_000);
  const answers = await Promise.all(clients.map((client) => untilAnswered(() => client.disconnect())));
  ending.abort();
  await scaled;

  const exits = await Promise.all(stopped.map(({ exited }) => exited));
  const { violations, counts } = judgeHistory(system.history(), await system.final());
  const userIds = new Set(clients.map(({ userId }) => userId));
  const waits = waitsOf(system.history(), { userIds, from: 0, until: Number.POSITIVE_INFINITY });
  const most = Math.max(...samples.map(({ consumers }) => consumers));
  const figures = {
    consumers: samples.map(({ consumers }) => consumers).join(' '),
    wanted: samples.map(({ workersWanted }) => workersWanted).join(' '),
    mostPending: Math.max(...samples.map(({ pending }) => pending)),
    longestWaitToldMs: Math.max(...samples.map(({ oldestWaitMs }) => oldestWaitMs)),
    waits: { p50Ms: Math.round(waits[Math.floor(waits.length / 2)] ?? 0), ...summarize(waits) },
    counts,
  };
  process.stderr.write(`${JSON.stringify(figures, undefined, 2)}\n`);
  expect(violations).toEqual([]);
  expect(counts).toMatchObject({ accepted: rush.count + 2 * calm.count, done: rush.count + 2 * calm.count });
  // A hand-over interrupts no run, and every consumer ends by itself.
  expect({ repeats: counts.repeats, most }).toEqual({ repeats: 0, most: scaling.maxConsumers });
  expect(exits).toEqual(stopped.map(() => ({ code: 0, signal: null })));
  expect(new Set(answers)).toEqual(new Set(['closed']));
  expect(waits.at(-1)).toBeLessThan(longestWaitMs);
}, 600_000);
