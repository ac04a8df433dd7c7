/** The listeners and channels that a publisher leaves behind on a real broker's connection. */
import { expect, jest, test } from '@jest/globals';
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import { laneQueue, userQueue } from '../../lib/broker/names.ts';
import { createPublisher } from '../../lib/broker/publisher.ts';
import { BrokerRefusedError } from '../../lib/errors.ts';
import { createLogger } from '../../lib/log.ts';
import { testConfig } from '../support/servers.ts';

const log = createLogger('silent');

/** More than a channel buffers, so that the publisher must wait for it again and again. */
const burst = 5_000;

test('waiting until a channel can take more leaves no listener on it', async () => {
  // The burst takes longer than the usual deadline on a busy machine.
  const config = testConfig({ publishTimeoutMs: 20_000 });
  const admin = await connect(config.rabbitmqUrl);
  // The publisher does not expose its channel. Its connection has the same class as any other, so spy on the prototype.
  const opened = jest.spyOn(Object.getPrototypeOf(admin) as ChannelModel, 'createConfirmChannel');
  const publisher = createPublisher(config, log);
  try {
    await publisher.ping();
    const channel = (await opened.mock.results[0]!.value) as ConfirmChannel;
    const listeners = () => [channel.listenerCount('drain'), channel.listenerCount('close')];
    const before = listeners();
    await Promise.all(Array.from({ length: burst }, () => publisher.publishWake(1, 'user')));
    expect(listeners()).toEqual(before);
  } finally {
    await Promise.all([publisher.close(), admin.close()]);
  }
});

test('refused messages do not use up channels', async () => {
  const config = testConfig();
  const admin = await connect(config.rabbitmqUrl);
  const channel = await admin.createChannel();
  const full = { arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } };
  await channel.assertQueue(laneQueue(config.queuePrefix, 1), full);
  const url = new URL(config.rabbitmqUrl);
  url.searchParams.set('channelMax', '4');
  const publisher = createPublisher({ ...config, rabbitmqUrl: url.href }, log);
  try {
    expect(await publisher.publishWake(1, 'user')).toBe('routed');
    for (let refused = 0; refused < 10; refused += 1) {
      await expect(publisher.publishWake(1, 'user')).rejects.toThrow(BrokerRefusedError);
    }
    expect(await publisher.publishWake(2, 'user')).toBe('unroutable');
  } finally {
    await publisher.close();
    await channel.deleteQueue(laneQueue(config.queuePrefix, 1));
    await admin.close();
  }
});

test('only a baton is persistent: RabbitMQ confirms the other messages without its disk', async () => {
  const config = testConfig();
  const admin = await connect(config.rabbitmqUrl);
  const channel = await admin.createChannel();
  const queues = [
    laneQueue(config.queuePrefix, 1),
    laneQueue(config.queuePrefix, 2),
    userQueue(config.queuePrefix, 'u'),
  ];
  for (const queue of queues) await channel.assertQueue(queue);
  const publisher = createPublisher(config, log);
  try {
    await publisher.publishBaton(1);
    await publisher.publishWake(2, 'u');
    await publisher.publishRequest('u', { seq: 1, body: '{}', acceptedAt: 1 });
    const modes = await Promise.all(
      queues.map(async (queue) => {
        const message = await channel.get(queue, { noAck: true });
        return message && message.properties.deliveryMode === 2;
      }),
    );
    expect(modes).toEqual([true, false, false]);
  } finally {
    await publisher.close();
    for (const queue of queues) await channel.deleteQueue(queue);
    await admin.close();
  }
});
