/** What a RabbitMQ refuses because of its limits and permissions. It is a private server, so that no other test is refused. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type ChannelModel, connect } from 'amqplib';
import { createLaneBroker, type RabbitLaneBroker } from '../../lib/broker/lane-broker.ts';
import { userQueue, userQueueOptions } from '../../lib/broker/names.ts';
import { createPublisher, type RabbitPublisher } from '../../lib/broker/publisher.ts';
import type { Config } from '../../lib/config.ts';
import { BrokerRefusedError, BrokerUnavailableError } from '../../lib/errors.ts';
import type { Delivery, LaneChannel, UserQueueChannel } from '../../lib/ports.ts';
import { findRabbitmq, rabbitmqctl } from '../../tools/services/rabbitmq.ts';
import { readableLog } from '../support/log-lines.ts';
import { type PrivateServer, privateRabbitmq } from '../support/private-servers.ts';
import { testConfig } from '../support/servers.ts';
import { eventually, openWorld } from '../support/world.ts';
import { ignoredEvents } from './ignored-events.ts';

/** A call of rabbitmqctl takes seconds on a busy machine. */
jest.setTimeout(120_000);

const adminUser = 'lanekeeper';
const startTimeoutMs = 120_000;

const requestMessage = (seq: number) => ({ seq, body: '{}', acceptedAt: 0 });

// Without an installed RabbitMQ (RabbitMQ in Docker, for example) there is no server that this test may administer.
(findRabbitmq() ? describe : describe.skip)('A RabbitMQ that refuses', () => {
  let server: PrivateServer;
  let admin: ChannelModel;
  let broker: RabbitLaneBroker;
  let publisher: RabbitPublisher;
  let lane: LaneChannel;
  let queues: UserQueueChannel;
  let config: Config;
  let prefix: string;
  /** What the lane and the user queues reported, in order. */
  let events: string[];
  let deliveries: Delivery[];
  const { log, lines } = readableLog();

  const ctl = (...args: string[]): Promise<string> => rabbitmqctl(server.folder, ['--quiet', ...args]);
  const publish = (userId: string, seq: number) => publisher.publishRequest(userId, requestMessage(seq));
  const outcomeOf = (opening: Promise<void>): Promise<unknown> =>
    opening.then(
      () => 'opened',
      (error) => error,
    );

  beforeAll(async () => {
    server = await privateRabbitmq();
    admin = await connect(server.url);
    config = testConfig({ rabbitmqUrl: server.url, publishTimeoutMs: 20_000 });
    prefix = config.queuePrefix;
    broker = createLaneBroker(config, log);
    publisher = createPublisher(config, log);
  }, startTimeoutMs);

  afterAll(async () => {
    await Promise.allSettled([broker?.close(), publisher?.close(), admin?.close()]);
    await server?.[Symbol.asyncDispose]();
  });

  const openLane = async (): Promise<void> => {
    events = [];
    deliveries = [];
    const note = (what: string, delivery?: Delivery): void => {
      events.push(what);
      if (delivery) deliveries.push(delivery);
    };
    lane = await broker.openLane(1, {
      baton: () => note('baton'),
      wake: (userId) => note(`wake ${userId}`),
      closed: (cause) => note(`closed ${cause?.message}`),
    });
    queues = broker.openUserQueues({
      request: (userId, { seq }, delivery) => note(`${userId} ${seq}`, delivery),
      consumerLost: (userId) => note(`lost ${userId}`),
    });
    await publisher.publishBaton(1);
    await eventually('the baton', () => events.includes('baton'));
    events.length = 0;
  };

  /** The lane went on as if nothing had happened, and so did both connections. */
  const expectUndisturbed = async (): Promise<void> => {
    expect(await lane.consumerCount()).toBe(1);
    expect(events.filter((event) => event.startsWith('closed'))).toEqual([]);
    expect(lines.map(({ msg }) => msg)).toEqual([]);
  };

  afterEach(async () => {
    for (const userId of ['ada', 'bob', 'eve']) await queues.delete(userId);
    await queues.close();
    await lane.close();
  });

  test('one queue too many refuses the users whose queues do not exist, until there is room', async () => {
    await openLane();
    await queues.open('ada');
    await publish('ada', 1);
    // The lane and the queue of ada.
    await ctl('set_vhost_limits', '-p', '/', '{"max-queues": 2}');
    const outcomes = await Promise.all(['bob', 'ada', 'eve'].map((userId) => outcomeOf(queues.open(userId))));
    expect(outcomes).toEqual([expect.any(BrokerRefusedError), 'opened', expect.any(BrokerRefusedError)]);
    expect(String(outcomes[0])).toMatch(/limit/);
    await publish('ada', 2);
    await eventually('both requests', () => events.length === 2);
    expect(events).toEqual(['ada 1', 'ada 2']);
    await expectUndisturbed();

    await ctl('clear_vhost_limits', '-p', '/');
    await queues.open('bob');
    await publish('bob', 3);
    await eventually('the request of bob', () => events.length === 3);
    expect(events).toEqual(['ada 1', 'ada 2', 'bob 3']);
  });

  test.each([
    ['configure', ['^(?!.*user.bob$).*', '.*', '.*']],
    ['read', ['.*', '.*', '^(?!.*user.bob$).*']],
  ])('a permission to %s that is withdrawn refuses its user alone', async (kind, permissions) => {
    await openLane();
    await queues.open('ada');
    await publish('ada', 1);
    await eventually('the request of ada', () => events.length === 1);
    await ctl('set_permissions', '-p', '/', adminUser, ...permissions);
    try {
      expect(await outcomeOf(queues.open('bob'))).toBeInstanceOf(BrokerRefusedError);
      // The first refused consumer takes the channel along; a refused declare takes nothing.
      const lost = kind === 'read' ? ['lost ada', 'ada 1'] : [];
      await queues.open('ada');
      await eventually('the request again', () => events.length === 1 + lost.length);
      expect(String(await outcomeOf(queues.open('bob')))).toMatch(/ACCESS_REFUSED/);
      await queues.open('eve');
      expect(await outcomeOf(queues.open('bob'))).toBeInstanceOf(BrokerRefusedError);
      expect(events).toEqual(['ada 1', ...lost]);
      await expectUndisturbed();
    } finally {
      await ctl('set_permissions', '-p', '/', adminUser, '.*', '.*', '.*');
    }
    await queues.open('bob');
  });

  test('a request that is not acknowledged in time costs the user queues their channel, and nobody else notices', async () => {
    // The server reads both when a channel opens.
    const setTimes = (timeoutMs: number, tickMs: number) =>
      ctl(
        'eval',
        `[application:set_env(rabbit, K, V) || {K, V} <- [{consumer_timeout, ${timeoutMs}}, {channel_tick_interval, ${tickMs}}]].`,
      );
    await openLane();
    await setTimes(300, 300);
    try {
      await queues.open('ada');
      await queues.open('bob');
      await publish('ada', 1);
      await publish('ada', 2);
      await eventually('the loss', () => events.includes('lost ada') && events.includes('lost bob'));
    } finally {
      await setTimes(1_800_000, 60_000);
    }
    await queues.open('ada');
    await queues.open('bob');
    await eventually('both requests again', () => events.length === 6);
    expect(events.slice(0, 2)).toEqual(['ada 1', 'ada 2']);
    expect(events.slice(4)).toEqual(['ada 1', 'ada 2']);
    await expectUndisturbed();
  });

  test('a consumer that is refused while the others are busy does not end their connection', async () => {
    await openLane();
    const channel = await admin.createChannel();
    const busy = Array.from({ length: 20 }, (_, index) => `busy-${index}`);
    await channel.assertQueue(userQueue(prefix, 'bob'), userQueueOptions);
    await channel.consume(userQueue(prefix, 'bob'), () => undefined, { exclusive: true });
    for (let round = 0; round < 8; round += 1) {
      let received = 0;
      const crowd = broker.openUserQueues({
        request: (_userId, _message, delivery) => {
          received += 1;
          setImmediate(() => delivery.ack());
        },
        consumerLost: () => undefined,
      });
      await Promise.all(busy.map((userId) => crowd.open(userId)));
      const filling = Promise.all(
        busy.flatMap((userId) => Array.from({ length: 100 }, (_, index) => publish(userId, index + 1))),
      );
      await eventually('they are busy', () => received > 300);
      expect(await outcomeOf(crowd.open('bob'))).toBeInstanceOf(BrokerRefusedError);
      await filling;
      await crowd.close();
    }
    await channel.close();
    await expectUndisturbed();
    for (const userId of busy) await queues.delete(userId);
  });

  test('channels above the limit of its user costs the lanes their connection once, and then refuses user queues alone', async () => {
    await openLane();
    const few = createLaneBroker(config, log);
    let lanesLost = 0;
    const closed = (): void => {
      lanesLost += 1;
    };
    const openFew = () => few.openLane(2, { ...ignoredEvents, closed }).catch(() => undefined);
    try {
      await openFew();
      const channels = await ctl('list_channels', '--no-table-headers', 'pid');
      await ctl('set_user_limits', adminUser, JSON.stringify({ 'max-channels': channels.trim().split('\n').length }));
      const userEvents = { request: () => undefined, consumerLost: () => undefined };
      await expect(few.openUserQueues(userEvents).open('ada')).rejects.toThrow(BrokerUnavailableError);
      await eventually('the loss', () => lanesLost === 1);
      const again = await eventually('the lane again', openFew);
      for (const userId of ['ada', 'bob']) {
        await expect(few.openUserQueues(userEvents).open(userId)).rejects.toThrow(BrokerRefusedError);
      }
      expect(await again.consumerCount()).toBe(1);
      expect(lanesLost).toBe(1);
    } finally {
      await ctl('clear_user_limits', adminUser, 'max-channels');
      await few.close();
      lines.length = 0;
    }
  });

  describe('messages', () => {
    const neighbors = Array.from({ length: 50 }, (_, index) => `neighbor-${index}`);

    beforeEach(async () => {
      await openLane();
      for (const userId of [...neighbors, 'bob']) await queues.open(userId);
    });

    afterEach(async () => {
      for (const userId of neighbors) await queues.delete(userId);
    });

    test('that are too large takes no neighbor along, and takes every other message again at once', async () => {
      // The server reads it when a channel opens.
      const setLargest = (bytes: number) => ctl('eval', `application:set_env(rabbit, max_message_size, ${bytes}).`);
      await setLargest(10_000);
      const own = createPublisher({ ...config, rabbitmqUrl: server.url }, log);
      try {
        await own.ping();
        const large = { ...requestMessage(1), body: JSON.stringify('x'.repeat(20_000)) };
        for (const seq of [1, 2]) {
          const publishing = [
            ...neighbors.slice(0, 20).map((userId) => own.publishRequest(userId, requestMessage(seq))),
            own.publishRequest('bob', large),
            ...neighbors.slice(20).map((userId) => own.publishRequest(userId, requestMessage(seq))),
            own.publishRequest('bob', large),
            own.publishRequest('bob', requestMessage(seq)),
          ];
          const settled = await Promise.allSettled(publishing);
          const isRefused = (index: number) => index === 20 || index === 51;
          expect(settled).toEqual(
            settled.map((_, index) =>
              isRefused(index)
                ? { status: 'rejected', reason: expect.any(BrokerRefusedError) }
                : { status: 'fulfilled', value: 'routed' },
            ),
          );
          expect(String((settled[20] as PromiseRejectedResult).reason)).toMatch(/message size/);
        }
        const expected = [...neighbors, 'bob'].flatMap((userId) => [`${userId} 1`, `${userId} 2`]);
        const haveArrived = (): boolean => {
          // Copies of a message must not fill the prefetch of its user.
          for (const delivery of deliveries.splice(0)) delivery.ack();
          return expected.every((each) => events.includes(each));
        };
        await eventually('every other message', haveArrived, 30_000);
        expect(new Set(events)).toEqual(new Set(expected));
        // Each of the two large messages closes a channel, and a message whose confirm was lost with it is sent again.
        expect(events.length).toBeLessThanOrEqual(3 * expected.length);
      } finally {
        await setLargest(134_217_728);
        await own.close();
        lines.length = 0;
      }
    });

    test('that may not be published at all are refused each, in time, with one line in the log', async () => {
      await ctl('set_permissions', '-p', '/', adminUser, '.*', '^$', '.*');
      const own = createPublisher({ ...config, rabbitmqUrl: server.url }, log);
      try {
        const publishing = neighbors.map((userId) => own.publishRequest(userId, requestMessage(1)));
        const settled = await Promise.allSettled(publishing);
        for (const each of settled) expect(each).toMatchObject({ reason: expect.any(BrokerRefusedError) });
        expect(lines.map(({ msg }) => msg)).toEqual(['RabbitMQ refused a message']);
        await ctl('set_permissions', '-p', '/', adminUser, '.*', '.*', '.*');
        const again = neighbors.map((userId) => own.publishRequest(userId, requestMessage(2)));
        expect(new Set(await Promise.all(again))).toEqual(new Set(['routed']));
      } finally {
        await ctl('set_permissions', '-p', '/', adminUser, '.*', '.*', '.*');
        await own.close();
        lines.length = 0;
      }
    });

    test('of a full queue takes no neighbor along', async () => {
      await ctl('set_policy', 'full', `^${prefix}user.bob$`, '{"max-length":1,"overflow":"reject-publish"}');
      try {
        const filling = await eventually('the policy', async () => {
          const results = await Promise.allSettled(Array.from({ length: 20 }, (_, seq) => publish('bob', seq + 1)));
          return results.some(({ status }) => status === 'rejected') && results;
        });
        expect(filling.find(({ status }) => status === 'rejected')).toMatchObject({
          reason: expect.any(BrokerRefusedError),
        });
        const settled = await Promise.allSettled(
          neighbors.flatMap((userId) => [publish(userId, 1), publish('bob', 100)]),
        );
        expect(settled.map(({ status }) => status)).toEqual(neighbors.flatMap(() => ['fulfilled', 'rejected']));
        await eventually('the messages of the neighbors', () =>
          neighbors.every((userId) => events.includes(`${userId} 1`)),
        );
        expect(new Set(events).size).toBe(events.length);
      } finally {
        await ctl('clear_policy', 'full');
        lines.length = 0;
      }
    });
  });

  test('the message of a request lets the request run at once, without a sweep', async () => {
    await openLane();
    await using world = await openWorld({ rabbitmqUrl: server.url, stuckAfterMs: 600_000, publishTimeoutMs: 20_000 });
    const user = await world.user();
    world.work(async () => ({ kind: 'done', result: 'null' }));
    await world.enqueue(user, 1);
    await world.settled(user, 1);
    await eventually('the user queue', () => world.userQueueExists(user));
    await ctl('set_policy', 'full', 'user', '{"max-length":0,"overflow":"reject-publish"}');
    try {
      for (let seq = 2; seq < 12; seq += 1) {
        await world.enqueue(user, seq);
        await world.settled(user, seq, 2_000);
      }
    } finally {
      await ctl('clear_policy', 'full');
    }
  });
});
