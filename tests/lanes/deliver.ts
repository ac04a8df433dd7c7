/** Messages that a test sends into a user's queue itself, as anybody with the right to publish could. */
import { connect } from 'amqplib';
import { userQueue } from '../../lib/broker/names.ts';
import { eventually, type TestUser, type World } from '../support/world.ts';

/** A user whose first request runs, so that what comes in its queue waits. */
export const busyUser = async (world: World, running: (user: TestUser, seq: number) => Promise<unknown>) => {
  const user = await world.user();
  await world.enqueue(user, 'first');
  await running(user, 1);
  await eventually('its queue is open', async () => (await world.userQueueConsumers(user)) === 1);
  return user;
};

/** Resolves when the worker has the message. */
export const deliver = async (world: World, user: TestUser, content: unknown, headers = {}): Promise<void> => {
  const connection = await connect(world.config.rabbitmqUrl);
  const channel = await connection.createConfirmChannel();
  const queue = userQueue(world.config.queuePrefix, user.userId);
  channel.sendToQueue(queue, Buffer.from(JSON.stringify(content)), { headers });
  await channel.waitForConfirms();
  await eventually('the worker has the message', async () => (await world.waitingMessages(user)) === 0);
  await connection.close();
};
