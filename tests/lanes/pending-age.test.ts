/** The age of the oldest pending request, as a worker reports it when no lane can be owned. */
import { expect, test } from '@jest/globals';
import type { RunRequest } from '../../lib/ports.ts';
import { freePort } from '../../tools/services/probe.ts';
import { eventually, openWorld } from '../support/world.ts';

const runRequest: RunRequest = async () => ({ kind: 'done', result: 'null' });

test('the age grows while RabbitMQ cannot be reached, and falls when the requests are settled', async () => {
  await using world = await openWorld({ stuckAfterMs: 200, sweepMs: 100 });
  const cutOff = world.work(runRequest, { config: { rabbitmqUrl: `amqp://127.0.0.1:${await freePort()}` } });
  const [first, second] = [await world.user(), await world.user()];
  // Its first request is settled, but not flushed to the user queue: the oldest pending one is the next.
  await world.stores.userQueues.takeTicket(second.userId, second.sessionId, new Date());
  await world.stores.ledger.insertTombstone({ userId: second.userId, seq: 1 }, new Date(0));
  await world.enqueue(second, 'b');
  const acceptedAt = (await world.entry(second, 2))?.acceptedAt.getTime() ?? 0;
  await world.enqueue(first, 'a');

  await eventually('more than a second', () => cutOff.snapshot().oldestPendingAgeMs > 1_000);
  expect(cutOff.snapshot().oldestPendingAgeMs).toBeLessThanOrEqual(world.stores.clock.now().getTime() - acceptedAt);
  expect(cutOff.snapshot().lanesOwned).toBe(0);

  world.work(runRequest);
  await Promise.all([world.settled(first, 1), world.settled(second, 2)]);
  await eventually('nothing is pending', () => cutOff.snapshot().oldestPendingAgeMs === 0);
});

test('the age counts from the acceptance, not from the last progress of a user that was idle', async () => {
  await using world = await openWorld({ stuckAfterMs: 200, sweepMs: 100 });
  const cutOff = world.work(runRequest, { config: { rabbitmqUrl: `amqp://127.0.0.1:${await freePort()}` } });
  const user = await world.user();
  await world.stores.userQueues.flushSettled([{ userId: user.userId, settled: 0, advanced: true }], new Date(0));
  await world.enqueue(user, 1);
  const age = await eventually('an age', () => cutOff.snapshot().oldestPendingAgeMs);
  expect(age).toBeLessThan(60_000);
});
