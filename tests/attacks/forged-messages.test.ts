/** A message in a user's queue cannot change what runs: that is what the ledger says [L15]. On real servers. */
import { expect, jest, test } from '@jest/globals';
import { connect } from 'amqplib';
import { userQueue } from '../../lib/broker/names.ts';
import { acceptRequest } from '../../lib/requests/accept.ts';
import { heldRuns } from '../lanes/runs.ts';
import { eventually, openWorld, recordPublished, type TestUser, type World } from '../support/world.ts';

jest.setTimeout(60_000);

/** A user whose first request runs, so that what comes in its queue waits. */
const busyUser = async (world: World, running: (user: TestUser, seq: number) => Promise<unknown>) => {
  const user = await world.user();
  await world.enqueue(user, 'first');
  await running(user, 1);
  await eventually('its queue is open', async () => (await world.userQueueConsumers(user)) === 1);
  return user;
};

test.each([
  ['another body', { body: '"forged"' }],
  ['other limits', { limits: { timeoutMs: 1, maxAttempts: 1 } }],
  ['operators in place of values', { body: '"forged"', limits: { maxAttempts: { $exists: false } } }],
  ['crashes that never happened', { interruptions: 9 }],
])('a message with %s does not run', async (_what, forged) => {
  await using world = await openWorld();
  const { runRequest, running, of } = heldRuns();
  world.work(runRequest);
  const user = await busyUser(world, running);
  const { published, publisher } = recordPublished(world);
  await acceptRequest({ ...user, body: '"real"' }, { ...world.deps, publisher });

  const connection = await connect(world.config.rabbitmqUrl);
  const channel = await connection.createConfirmChannel();
  const content = Buffer.from(JSON.stringify({ ...published[0], ...forged }));
  channel.sendToQueue(userQueue(world.config.queuePrefix, user.userId), content);
  await channel.waitForConfirms();
  await eventually('the worker has the message', async () => (await world.waitingMessages(user)) === 0);
  await connection.close();

  of(user)[0]!.end();
  const second = await running(user, 2);
  expect(second).toMatchObject({ body: '"real"', interruptions: 0, attempt: 1 });
  expect(second.limits).toEqual({});
  second.end();
  expect(await world.settled(user, 2)).toMatchObject({ status: 'done', attempts: 1 });
});
