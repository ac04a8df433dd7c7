/** A message in a user's queue cannot change what runs: that is what the ledger says [L15]. On real servers. */
import { expect, jest, test } from '@jest/globals';
import { type ConsumeMessage, connect } from 'amqplib';
import { requestOf } from '../../lib/broker/messages.ts';
import { laneQueue, userQueue } from '../../lib/broker/names.ts';
import { acceptRequest } from '../../lib/requests/accept.ts';
import { busyUser, deliver } from '../lanes/deliver.ts';
import { heldRuns } from '../lanes/runs.ts';
import { eventually, openWorld, recordPublished } from '../support/world.ts';

jest.setTimeout(60_000);

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

  await deliver(world, user, { ...published[0], ...forged });

  of(user)[0]!.end();
  const second = await running(user, 2);
  expect(second).toMatchObject({ body: '"real"', interruptions: 0, attempt: 1 });
  expect(second.limits).toEqual({});
  second.end();
  expect(await world.settled(user, 2)).toMatchObject({ status: 'done', attempts: 1 });
});

/** Its claim or its refresh would make MongoDB's driver, or MongoDB, refuse a query that carries the work of other users too. */
const poison = (seq: number) => {
  const forged = (fields: object) => JSON.stringify({ seq, body: '1', acceptedAt: 1, ...fields });
  const notBson = { _bsontype: 'x' };
  return [
    forged({ limits: { timeoutMs: notBson } }),
    forged({ limits: { maxAttempts: notBson } }),
    forged({ limits: { onInterruption: notBson } }),
    forged({ limits: [] }),
    forged({ limits: 'none' }),
    forged({ limits: { unknown: 1 } }),
    `{"seq":${seq},"body":"1","acceptedAt":1,"limits":{"__proto__":{"timeoutMs":1}}}`,
    forged({ interruptions: notBson }),
    forged({ interruptions: -1 }),
    forged({ bytesThrough: notBson }),
    forged({ bytesThrough: 0.5 }),
    `{"seq":${seq},"body":"1","acceptedAt":1e999}`,
    forged({ acceptedAt: 1e300 }),
    forged({ acceptedAt: Number.NaN }),
    forged({ seq: 2 ** 53 }),
    forged({ seq: -1 }),
    forged({ body: 'x'.repeat(17 * 1_024) }),
    '['.repeat(100_000),
    'null',
  ];
};

test('a message is taken for a request only when every value is one that Lanekeeper sends', () => {
  const read = (content: string) => requestOf({ content: Buffer.from(content), properties: {} } as ConsumeMessage);
  for (const content of poison(2))
    expect([content.slice(0, 99), read(content)]).toEqual([content.slice(0, 99), undefined]);
  const limits = { maxAttempts: 3, timeoutMs: 1_000, onInterruption: 'dead-letter' };
  const whole = {
    seq: 2,
    body: '"\u0000"'.padEnd(16 * 1_024),
    bytesThrough: 7,
    acceptedAt: 1,
    limits,
    interruptions: 2,
  };
  expect(read(JSON.stringify(whole))).toEqual(whole);
});

test('a message that no query can carry is dropped, and disturbs neither its user nor others', async () => {
  await using world = await openWorld({ gapTimeoutMs: 500 });
  const { runRequest, running, of } = heldRuns();
  const released: unknown[] = [];
  world.work(runRequest, { observer: { laneReleased: (lane) => released.push(lane) } });
  const user = await busyUser(world, running);
  const neighbor = await world.user();
  await world.enqueue(neighbor, 'first');
  const neighborsRun = await running(neighbor, 1);

  const connection = await connect(world.config.rabbitmqUrl);
  const channel = await connection.createConfirmChannel();
  for (const content of poison(2)) {
    channel.sendToQueue(userQueue(world.config.queuePrefix, user.userId), Buffer.from(content));
  }
  for (const userId of ['', 'x'.repeat(65), { $gt: '' }]) {
    const content = Buffer.from(JSON.stringify({ userId }));
    channel.sendToQueue(laneQueue(world.config.queuePrefix, user.lane), content, { type: 'wake' });
  }
  await channel.waitForConfirms();
  await connection.close();
  await eventually('the worker has the messages', async () => (await world.waitingMessages(user)) === 0);

  of(user)[0]!.end();
  await world.settled(user, 1);
  await world.enqueue(user, 'second');
  expect(await running(user, 2)).toMatchObject({ body: '"second"', attempt: 1 });
  neighborsRun.end();
  expect(await world.settled(neighbor, 1)).toMatchObject({ status: 'done', attempts: 1 });
  expect(released).toEqual([]);
  of(user)[1]!.end();
  expect(await world.settled(user, 2)).toMatchObject({ status: 'done', attempts: 1 });
});
