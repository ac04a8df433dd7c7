/** One user's long backlog must not keep another user waiting. Counted in runs, so that the machine's speed does not matter. */
import { expect, test } from '@jest/globals';
import type { RunRequest } from '../../lib/ports.ts';
import { eventually, openWorld, type TestUser, type World } from '../support/world.ts';

const backlog = 2_000;
const batch = 100;

/** Accepted as functions do, without a message: as after the broker lost its data. */
const acceptMany = async ({ stores }: World, { userId, sessionId }: TestUser): Promise<void> => {
  for (let accepted = 0; accepted < backlog; accepted += batch) {
    const acceptedAt = new Date();
    const take = () => stores.userQueues.takeTicket(userId, sessionId, acceptedAt);
    const tickets = await Promise.all(Array.from({ length: batch }, take));
    const insert = (seq: number) => stores.ledger.insert({ userId, seq, body: '1', acceptedAt });
    await Promise.all(tickets.map((ticket) => insert(ticket?.seq ?? Number.NaN)));
  }
};

test(`the first request of a user starts after a few runs of one who has ${backlog} pending, with a single slot and lane`, async () => {
  await using world = await openWorld({ concurrency: 1, lanes: 1 });
  const [busy, late] = [await world.user(), await world.user()];
  await acceptMany(world, busy);
  expect(await world.queue(busy)).toMatchObject({ accepted: backlog, settled: 0 });

  const runs: { userId: string; end: () => void }[] = [];
  const runRequest: RunRequest = ({ userId }) =>
    new Promise((resolve) => {
      runs.push({ userId, end: () => resolve({ kind: 'done', result: 'null' }) });
    });
  const started = (count: number) => eventually(`run ${count}`, () => runs[count - 1]);
  const worker = world.work(runRequest);
  await started(1);
  await world.enqueue(late, 'x');
  await eventually('the owner knows of the other user', () => worker.snapshot().usersLoaded === 2);

  let count = 1;
  for (; runs.at(-1)?.userId === busy.userId && count < 20; count += 1) {
    runs.at(-1)?.end();
    await started(count + 1);
  }
  runs.at(-1)?.end();
  expect(runs.at(-1)?.userId).toBe(late.userId);
  expect(count).toBeLessThanOrEqual(5);
}, 60_000);
