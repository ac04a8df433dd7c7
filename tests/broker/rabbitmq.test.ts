import { expect, test } from '@jest/globals';
import { connect } from 'amqplib';
import { createLaneBroker } from '../../lib/broker/lane-broker.ts';
import { laneQueue, userQueue, userQueueOptions } from '../../lib/broker/names.ts';
import { createPublisher } from '../../lib/broker/publisher.ts';
import { BrokerRefusedError, BrokerUnavailableError } from '../../lib/errors.ts';
import { createLogger } from '../../lib/log.ts';
import { testConfig } from '../support/servers.ts';
import { startProxyTo, startTcpProxy } from '../support/tcp-proxy.ts';
import { eventually } from '../support/world.ts';
import { type BrokerConnection, type BrokerUnderTest, describeBrokerContract } from './broker-contract.ts';
import { ignoredEvents } from './ignored-events.ts';

/** The contract numbers its lanes from 1. */
const lanesOfContract = 40;

const openRabbitmq = async (): Promise<BrokerUnderTest> => {
  const config = testConfig();
  const log = createLogger('silent');
  const closing: (() => Promise<void>)[] = [];

  const connectTo = (url: string, sever: () => Promise<void>): BrokerConnection => {
    const publisher = createPublisher({ ...config, rabbitmqUrl: url }, log);
    const laneBroker = createLaneBroker({ ...config, rabbitmqUrl: url }, log);
    closing.push(publisher.close, laneBroker.close);
    return { publisher, laneBroker, sever };
  };

  return {
    async connect() {
      const proxy = await startProxyTo(config.rabbitmqUrl);
      closing.unshift(proxy.close);
      return connectTo(proxy.url, async () => {
        await proxy.cut();
        await proxy.restore();
      });
    },
    async connectToNothing() {
      const proxy = await startTcpProxy('127.0.0.1', 1);
      await proxy.close();
      return connectTo(`amqp://127.0.0.1:${proxy.port}`, async () => undefined);
    },
    async refuse(userId, what) {
      const queue = userQueue(config.queuePrefix, userId);
      const stranger = await connect(config.rabbitmqUrl);
      const channel = await stranger.createChannel();
      if (what === 'declare') {
        await channel.assertQueue(queue, { durable: true });
      } else {
        await channel.assertQueue(queue, userQueueOptions);
        await channel.consume(queue, () => undefined, { exclusive: true });
      }
      return async () => {
        await channel.deleteQueue(queue);
        await stranger.close();
      };
    },
    async end() {
      for (const close of closing.reverse()) await close();
      const admin = await connect(config.rabbitmqUrl);
      const channel = await admin.createChannel();
      for (let lane = 1; lane <= lanesOfContract; lane += 1) {
        await channel.deleteQueue(laneQueue(config.queuePrefix, lane));
      }
      await admin.close();
    },
  };
};

describeBrokerContract('RabbitMQ', openRabbitmq);

test('a ping and a publish fail in time when the broker is frozen, and both work again when it is thawed', async () => {
  const config = testConfig({ publishTimeoutMs: 300 });
  const proxy = await startProxyTo(config.rabbitmqUrl);
  const publisher = createPublisher({ ...config, rabbitmqUrl: proxy.url }, createLogger('silent'));
  try {
    await eventually('the broker answers', () =>
      publisher.ping().then(
        () => true,
        () => false,
      ),
    );
    proxy.freeze();
    await expect(publisher.ping()).rejects.toBeInstanceOf(BrokerUnavailableError);
    await expect(publisher.publishWake(1, 'user')).rejects.toBeInstanceOf(BrokerUnavailableError);
    proxy.thaw();
    await eventually('the broker answers again', () =>
      publisher.ping().then(
        () => true,
        () => false,
      ),
    );
    expect(await publisher.publishWake(1, 'user')).toBe('unroutable');
  } finally {
    await publisher.close();
    await proxy.close();
  }
});

test('a connection without a channel left refuses user queues, and the lane stays', async () => {
  const config = testConfig();
  const url = new URL(config.rabbitmqUrl);
  url.searchParams.set('channelMax', '1');
  const broker = createLaneBroker({ ...config, rabbitmqUrl: url.href }, createLogger('silent'));
  const closed: unknown[] = [];
  try {
    const lane = await broker.openLane(1, { ...ignoredEvents, closed: (cause) => closed.push(cause) });
    const queues = broker.openUserQueues({ request: () => undefined, consumerLost: () => undefined });
    await expect(queues.open('ada')).rejects.toThrow(BrokerRefusedError);
    await expect(queues.delete('ada')).rejects.toThrow(BrokerRefusedError);
    await expect(broker.deleteUnusedUserQueue('ada')).rejects.toThrow(BrokerRefusedError);
    expect(await lane.consumerCount()).toBe(1);
    expect(closed).toEqual([]);
  } finally {
    await broker.close();
    const admin = await connect(config.rabbitmqUrl);
    await (await admin.createChannel()).deleteQueue(laneQueue(config.queuePrefix, 1));
    await admin.close();
  }
});
