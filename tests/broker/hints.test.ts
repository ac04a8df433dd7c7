/** Hints on a real RabbitMQ: they reach whoever listens, and cost nothing where nobody does. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type ChannelModel, connect } from 'amqplib';
import { type Hint, hintExchange, hintKey, hintsIn, maxHints } from '../../lib/broker/hint-messages.ts';
import { createHintReceiver } from '../../lib/broker/hint-receiver.ts';
import { createPublisher, type RabbitPublisher } from '../../lib/broker/publisher.ts';
import { createLogger } from '../../lib/log.ts';
import { testConfig } from '../support/servers.ts';
import { startProxyTo } from '../support/tcp-proxy.ts';
import { eventually } from '../support/world.ts';

jest.setTimeout(60_000);

const config = testConfig();
const log = createLogger('silent');
let admin: ChannelModel;
let publisher: RabbitPublisher;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  admin = await connect(config.rabbitmqUrl);
  publisher = createPublisher(config, log);
  await publisher.ping();
});
afterAll(async () => {
  for (const close of closing) await close();
  await Promise.all([publisher.close(), admin.close()]);
});

/** What arrives in a queue that is bound to a lane: a message is a list. */
const tap = async (lane: number): Promise<Hint[][]> => {
  const channel = await admin.createChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, hintExchange, hintKey(config.queuePrefix, lane));
  const messages: Hint[][] = [];
  await channel.consume(queue, (message) => message && messages.push(hintsIn(message.content)), { noAck: true });
  return messages;
};

const listen = (url = config.rabbitmqUrl) => {
  const heard: Hint[] = [];
  const source = createHintReceiver({ ...config, rabbitmqUrl: url }, log, (userId, seq) =>
    heard.push(seq === undefined ? [userId] : [userId, seq]),
  );
  closing.push(source.close);
  return { heard, source };
};

/** Sends until somebody hears it: a lane may have been silent. */
const tellUntil = (lane: number, userId: string, heard: () => boolean) =>
  eventually(`${userId} is heard of`, () => {
    publisher.hints.tell(lane, userId);
    return heard();
  });

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('the hints of a turn are one message for each lane, and each is there once', async () => {
  const [one, two] = [await tap(1), await tap(2)];
  await tellUntil(1, 'first', () => one.length > 0);
  await tellUntil(2, 'first', () => two.length > 0);
  await nextTurn();
  const before = one.length;
  publisher.hints.tell(1, 'ada', 7);
  publisher.hints.tell(1, 'ada', 7);
  publisher.hints.tell(1, 'ada', 9);
  publisher.hints.tell(2, 'grace');
  publisher.hints.tell(1, 'linus');
  publisher.hints.tell(1, 'linus');
  await eventually('they arrive', () => one.at(-1)?.some(([userId]) => userId === 'linus'));
  expect(one.at(-1)).toEqual([['ada', 7], ['ada', 9], ['linus']]);
  expect(one.length).toBe(before + 1);
  await eventually('that of the other lane', () => two.at(-1)?.some(([userId]) => userId === 'grace'));
  for (let user = 0; user < 2 * maxHints; user += 1) publisher.hints.tell(1, `user-${user}`);
  await eventually('all', () => one.slice(before + 1).flat().length === 2 * maxHints);
  expect(one.slice(before + 1).map(({ length }) => length)).toEqual([maxHints, maxHints]);
});

test('a lane to which nobody listens is left out for a second', async () => {
  const lane = 3;
  publisher.hints.tell(lane, 'nobody');
  // When a later message is confirmed, the return has arrived: both are on one connection.
  await nextTurn();
  await publisher.ping();
  const messages = await tap(lane);
  publisher.hints.tell(lane, 'too soon');
  await nextTurn();
  await publisher.ping();
  const startedAt = performance.now();
  await tellUntil(lane, 'later', () => messages.length > 0);
  expect(messages.flat()).not.toContainEqual(['too soon']);
  expect(performance.now() - startedAt).toBeGreaterThan(500);
});

test('whoever follows lanes hears of them and of no others, and leaves no queue behind', async () => {
  const { heard, source } = listen();
  source.follow(new Set([4]));
  await tellUntil(4, 'ada', () => heard.length > 0);
  source.follow(new Set([5]));
  await tellUntil(5, 'grace', () => heard.some(([userId]) => userId === 'grace'));
  const before = heard.length;
  publisher.hints.tell(4, 'ada', 3);
  await tellUntil(5, 'later', () => heard.some(([userId]) => userId === 'later'));
  expect(heard.slice(before)).not.toContainEqual(['ada', 3]);
  source.follow(new Set());
  const messages = await tap(5);
  await tellUntil(5, 'nobody', () => messages.length > 0);
  expect(heard).not.toContainEqual(['nobody']);
});

test('it hears again after its connection was cut', async () => {
  const proxy = await startProxyTo(config.rabbitmqUrl);
  closing.push(() => proxy.close());
  const { heard, source } = listen(proxy.url);
  source.follow(new Set([6]));
  await tellUntil(6, 'ada', () => heard.length > 0);
  await proxy.cut();
  await proxy.restore();
  await tellUntil(6, 'again', () => heard.some(([userId]) => userId === 'again'));
});

test.each([
  ['no JSON', 'hello'],
  ['an object', '{"u":1}'],
  ['a number as user', '[[7]]'],
  ['a seq that is none', '[["ada",0]]'],
  ['a user id that is too long', JSON.stringify([['x'.repeat(65)]])],
  ['too many', JSON.stringify(Array.from({ length: maxHints + 1 }, () => ['ada']))],
  ['too large', `[${' '.repeat(40_000)}["ada"]]`],
])('a message with %s has no hints', (_, text) => {
  expect(hintsIn(Buffer.from(text))).toEqual([]);
});
