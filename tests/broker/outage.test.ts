/** What is logged at `info` and above while RabbitMQ cannot be used. */
import { expect, test } from '@jest/globals';
import { connect } from 'amqplib';
import { createLaneBroker } from '../../lib/broker/lane-broker.ts';
import { laneQueue } from '../../lib/broker/names.ts';
import { createPublisher } from '../../lib/broker/publisher.ts';
import { info, readableLog, warn } from '../support/log-lines.ts';
import { testConfig } from '../support/servers.ts';
import { startProxyTo } from '../support/tcp-proxy.ts';
import { eventually } from '../support/world.ts';
import { ignoredEvents } from './ignored-events.ts';

const lanes = [0, 1, 2, 3];

test('an unavailable server is logged once for all lanes, and so is its return', async () => {
  const config = testConfig();
  const proxy = await startProxyTo(config.rabbitmqUrl);
  await proxy.cut();
  const { log, lines } = readableLog();
  const broker = createLaneBroker({ ...config, rabbitmqUrl: proxy.url }, log);
  try {
    await Promise.allSettled(lanes.map((lane) => broker.openLane(lane, ignoredEvents)));
    await Promise.allSettled(lanes.map((lane) => broker.openLane(lane, ignoredEvents)));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: warn, msg: 'RabbitMQ is not available' });
    expect(lines[0]?.reason).toContain('ECONNREFUSED');

    await proxy.restore();
    await eventually('a lane opens', () => broker.openLane(0, ignoredEvents).catch(() => undefined));
    expect(lines.slice(1)).toMatchObject([{ level: info, msg: 'RabbitMQ is available again' }]);
  } finally {
    await broker.close();
    await proxy.close();
    await deleteLanes(config);
  }
});

test('a wrong password is logged as the reason, without the password', async () => {
  const config = testConfig();
  const url = new URL(config.rabbitmqUrl);
  url.username ||= 'nobody';
  url.password = 'not-the-password';
  const { log, lines } = readableLog();
  const publisher = createPublisher({ ...config, rabbitmqUrl: url.href, publishTimeoutMs: 10_000 }, log);
  await expect(publisher.ping()).rejects.toThrow('RabbitMQ');
  await publisher.close();
  expect(lines).toMatchObject([{ level: warn, msg: 'RabbitMQ is not available' }]);
  expect(lines[0]?.reason).toMatch(/refused the user \w+ or the password/);
  expect(JSON.stringify(lines)).not.toContain('not-the-password');
});

test('a server that does not answer is logged once for all lanes, and so is its return', async () => {
  const slowMs = 2_000;
  const config = testConfig({ heartbeatSeconds: 60 });
  const proxy = await startProxyTo(config.rabbitmqUrl);
  const { log, lines } = readableLog();
  const broker = createLaneBroker({ ...config, rabbitmqUrl: proxy.url }, log, { slowMs, settleMs: 10 });
  const [first, ...others] = lanes;
  try {
    await broker.openLane(first!, ignoredEvents);
    proxy.freeze('from-server');
    const opening = others.map((lane) => broker.openLane(lane, ignoredEvents));
    await eventually('a warning', () => lines.length > 0);
    expect(lines).toMatchObject([
      { level: warn, msg: 'lanes could not be opened', reason: `RabbitMQ has not answered for ${slowMs} ms` },
    ]);
    proxy.thaw();
    await Promise.all(opening);
    await eventually('the end', () => lines.length > 1);
    expect(lines.slice(1)).toMatchObject([{ level: info, msg: 'all lanes are open again' }]);
  } finally {
    await broker.close();
    await proxy.close();
    await deleteLanes(config);
  }
});

test('a server that refuses lanes is logged once for all of them', async () => {
  const config = testConfig();
  const admin = await connect(config.rabbitmqUrl);
  const channel = await admin.createChannel();
  // As after a change of LANE_QUEUE_TYPE: the queues exist with other arguments.
  for (const lane of lanes) await channel.assertQueue(laneQueue(config.queuePrefix, lane), { durable: true });
  const { log, lines } = readableLog();
  const broker = createLaneBroker(config, log, { settleMs: 10 });
  let closed = 0;
  const countClosed = { ...ignoredEvents, closed: () => void closed++ };
  try {
    const opened = await Promise.allSettled(lanes.map((lane) => broker.openLane(lane, countClosed)));
    expect(opened.map(({ status }) => status)).toEqual(lanes.map(() => 'rejected'));
    // Whoever is told that a channel was closed logs a lost lane, for each lane and each try.
    expect(closed).toBe(0);
    expect(lines).toMatchObject([{ level: warn, msg: 'lanes could not be opened' }]);
    expect(lines[0]?.reason).toMatch(/PRECONDITION.FAILED/);

    for (const lane of lanes) await channel.deleteQueue(laneQueue(config.queuePrefix, lane));
    for (const lane of lanes) await broker.openLane(lane, ignoredEvents);
    await eventually('the end', () => lines.length > 1);
    expect(lines.slice(1)).toMatchObject([{ level: info, msg: 'all lanes are open again' }]);
  } finally {
    await broker.close();
    await admin.close();
    await deleteLanes(config);
  }
});

const deleteLanes = async (config: { rabbitmqUrl: string; queuePrefix: string }): Promise<void> => {
  const admin = await connect(config.rabbitmqUrl);
  const channel = await admin.createChannel();
  for (const lane of lanes) await channel.deleteQueue(laneQueue(config.queuePrefix, lane));
  await admin.close();
};
