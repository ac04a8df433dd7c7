/** Functions are open to the world: whoever takes one over must not read, change or delete a queue [L15]. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import { hintExchange, hintKey, hintQueue } from '../../lib/broker/hint-messages.ts';
import { laneQueue, userQueue } from '../../lib/broker/names.ts';
import { findRabbitmq, rabbitmqctl } from '../../tools/services/rabbitmq.ts';
import { administrator, urlForRole } from '../../tools/services/rabbitmq-users.ts';
import { type PrivateServer, privateRabbitmq } from '../support/private-servers.ts';
import { uniqueName } from '../support/servers.ts';
import { openSystem } from '../system/system.ts';

jest.setTimeout(120_000);

type Action = (channel: Channel) => Promise<unknown>;

// Without an installed RabbitMQ (RabbitMQ in Docker, for example) there is no server with users of its own.
(findRabbitmq() ? describe : describe.skip)('the users of RabbitMQ', () => {
  const lane = laneQueue('shop.', 3);
  const user = userQueue('shop.', 'ada');
  let server: PrivateServer;
  let connections: Record<'admin' | 'functions' | 'consumer', ChannelModel>;

  beforeAll(async () => {
    server = await privateRabbitmq();
    connections = {
      admin: await connect(server.url),
      functions: await connect(urlForRole(server.url, 'functions')),
      consumer: await connect(urlForRole(server.url, 'consumer')),
    };
    const channel = await connections.admin.createChannel();
    for (const queue of [lane, user, 'billing']) await channel.assertQueue(queue);
  });
  afterAll(async () => {
    for (const connection of Object.values(connections ?? {})) await connection.close();
    await server?.[Symbol.asyncDispose]();
  });

  const outcome = async (role: 'functions' | 'consumer', action: Action): Promise<unknown> => {
    const channel = await connections[role].createConfirmChannel();
    const refused = new Promise((resolve) => {
      channel.on('error', (error: Error & { code?: number }) => resolve(error.code));
    });
    const done = action(channel).then(
      () => 'done',
      () => refused,
    );
    const result = await Promise.race([done, refused]);
    if (result === 'done') await channel.close();
    return result;
  };

  const publish =
    (exchange: string, queue: string): Action =>
    async (channel) => {
      channel.publish(exchange, queue, Buffer.from('{}'));
      await (channel as Channel & { waitForConfirms(): Promise<void> }).waitForConfirms();
    };
  const declare =
    (queue: string): Action =>
    (channel) =>
      channel.assertQueue(queue);
  const consume =
    (queue: string): Action =>
    (channel) =>
      channel.consume(queue, () => undefined);
  const purge =
    (queue: string): Action =>
    (channel) =>
      channel.purgeQueue(queue);
  const remove =
    (queue: string): Action =>
    (channel) =>
      channel.deleteQueue(queue);

  const hear =
    (exchange: string): Action =>
    async (channel) => {
      const { queue } = await channel.assertQueue(hintQueue('shop.', uniqueName('mine')), { exclusive: true });
      await channel.bindQueue(queue, exchange, hintKey('shop.', 3));
      await channel.consume(queue, () => undefined);
    };

  test('that of the functions may send and hear hints, that of the consumer may send them', async () => {
    expect(await outcome('functions', hear(hintExchange))).toBe('done');
    for (const role of ['functions', 'consumer'] as const)
      expect(await outcome(role, publish(hintExchange, hintKey('shop.', 3)))).toBe('done');
  });

  test.each<[string, Action]>([
    ['declares a lane', declare(laneQueue('shop.', 4))],
    ['reads a lane', consume(lane)],
    ['reads a user queue', consume(user)],
    ['empties a user queue', purge(user)],
    ['deletes a lane', remove(lane)],
    ['declares an exchange', (channel) => channel.assertExchange('mine', 'direct')],
    ['publishes to another exchange', publish('amq.fanout', '')],
    ['binds its own queue to another exchange', hear('amq.fanout')],
  ])('that of the functions is refused when it %s', async (_, action) => {
    expect(await outcome('functions', action)).toBe(403);
  });

  test.each<[string, Action]>([
    ['declares a queue of somebody else', declare('invoices')],
    ['reads a queue of somebody else', consume('billing')],
    ['deletes a queue of somebody else', remove('billing')],
    ['declares an exchange', (channel) => channel.assertExchange('mine', 'direct')],
    ['publishes to another exchange', publish('amq.fanout', '')],
    ['hears hints', hear(hintExchange)],
  ])('that of the consumer is refused when it %s', async (_, action) => {
    expect(await outcome('consumer', action)).toBe(403);
  });

  test('may do all that the product needs: requests run, and the queue of a user is deleted at the end', async () => {
    await using system = await openSystem({ RABBITMQ_URL: urlForRole(server.url, 'functions') }, server.url);
    system.consumer('consumer', { RABBITMQ_URL: urlForRole(server.url, 'consumer'), WORKERS: '2' });
    const client = await system.client(uniqueName('user'));
    for (let request = 1; request <= 5; request += 1) await client.enqueue({ request });
    expect(await client.get('/requests/5?wait=20')).toMatchObject({ status: 'done' });
    const users = await rabbitmqctl(server.folder, ['--quiet', 'list_connections', '--no-table-headers', 'user']);
    const ours = users.split('\n').filter((name) => name.startsWith(`${administrator}-`));
    expect(new Set(ours)).toEqual(new Set(['lanekeeper-functions', 'lanekeeper-consumer']));
    expect(await client.disconnect()).toBe('closed');
    expect((await system.final()).leftOverQueues).toEqual([]);
  });
});
