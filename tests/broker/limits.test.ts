/** What is logged at `info` and above when a limit of RabbitMQ is too low for the lanes. A server of its own has the limits. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createLaneBroker, type RabbitLaneBroker } from '../../lib/broker/lane-broker.ts';
import { findRabbitmq, rabbitmqctl } from '../../tools/services/rabbitmq.ts';
import { info, readableLog, warn } from '../support/log-lines.ts';
import { type PrivateServer, privateRabbitmq } from '../support/private-servers.ts';
import { testConfig } from '../support/servers.ts';
import { eventually } from '../support/world.ts';
import { ignoredEvents } from './ignored-events.ts';

jest.setTimeout(120_000);

const channelMax = 8;
const password = 'only-for-this-test';
const everything = { configure: '.*', write: '.*', read: '.*' };

/** A user who may open 2 channels, and a virtual host that may have 1 queue. */
const limited = {
  users: [{ name: 'few-channels', password, tags: '', limits: { 'max-channels': 2 } }],
  vhosts: [{ name: 'few-queues' }],
  permissions: [
    { user: 'few-channels', vhost: '/', ...everything },
    { user: 'lanekeeper', vhost: 'few-queues', ...everything },
  ],
  parameters: [{ component: 'vhost-limits', name: 'limits', vhost: 'few-queues', value: { 'max-queues': 1 } }],
};

const lanesUpTo = (count: number): number[] => Array.from({ length: count }, (_, lane) => lane);

(findRabbitmq() ? describe : describe.skip)('a limit of RabbitMQ', () => {
  let server: PrivateServer;
  const control = (...args: string[]) => rabbitmqctl(server.folder, ['--quiet', ...args]);

  beforeAll(async () => {
    server = await privateRabbitmq(`-rabbit channel_max ${channelMax}`);
    const file = join(server.folder, 'limited.json');
    writeFileSync(file, JSON.stringify(limited));
    await control('import_definitions', file);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const open = (lanes: number, { user, vhost = '' }: { user?: string; vhost?: string } = {}) => {
    const { log, lines } = readableLog();
    const url = new URL(server.url);
    if (user) Object.assign(url, { username: user, password });
    url.pathname = vhost;
    const config = { ...testConfig(), rabbitmqUrl: url.href, lanes };
    const laneBroker = createLaneBroker(config, log, { settleMs: 1_000 });
    return { laneBroker, lines, [Symbol.asyncDispose]: () => laneBroker.close() };
  };

  const openAll = async (laneBroker: RabbitLaneBroker, lanes: number[]): Promise<number[]> => {
    const opened = await Promise.allSettled(lanes.map((lane) => laneBroker.openLane(lane, ignoredEvents)));
    return lanes.filter((_, index) => opened[index]?.status === 'fulfilled');
  };

  /** As a worker does: tries the lanes again that could not be opened. */
  const tryOften = async (laneBroker: RabbitLaneBroker, lanes: number[]): Promise<void> => {
    let missing = lanes;
    for (let round = 0; round < 5; round += 1) {
      const opened = await openAll(laneBroker, missing);
      missing = missing.filter((lane) => !opened.includes(lane));
    }
  };

  test('with as many channels as the lanes and their user queues need is not reported', async () => {
    const lanes = lanesUpTo(channelMax / 2);
    await using broker = open(lanes.length);
    expect(await openAll(broker.laneBroker, lanes)).toEqual(lanes);
    expect(broker.lines).toEqual([]);
  });

  test('with too few queues is reported once, with the setting', async () => {
    const lanes = lanesUpTo(4);
    await using broker = open(lanes.length, { vhost: 'few-queues' });
    // RabbitMQ counts the queues that are there: several that are declared at once may all pass.
    await openAll(broker.laneBroker, lanes.slice(0, 1));
    await tryOften(broker.laneBroker, lanes.slice(1));
    expect(broker.lines).toMatchObject([{ level: warn, msg: 'lanes could not be opened' }]);
    expect(broker.lines[0]?.reason).toMatch(/queue limit.* needs 4 queues.*max-queues/s);
  });

  test('that closes the connection is reported once, with the setting, however often it closes', async () => {
    const lanes = lanesUpTo(4);
    await using broker = open(lanes.length, { user: 'few-channels' });
    for (let round = 0; round < 5; round += 1) await openAll(broker.laneBroker, lanes);
    const warnings = broker.lines.map(({ level, msg }) => [level, msg]);
    expect(warnings.toSorted()).toEqual([
      [warn, 'lanes could not be opened'],
      [warn, 'the RabbitMQ connection failed'],
    ]);
    const reason = broker.lines.find(({ msg }) => msg === 'lanes could not be opened')?.reason;
    expect(reason).toMatch(/number of channels.*\(2\).* needs 8 channels.*max-channels/s);

    await control('clear_user_limits', 'few-channels', 'max-channels');
    await eventually('all lanes open', async () => (await openAll(broker.laneBroker, lanes)).length === lanes.length);
    await eventually('the end', () => broker.lines.length > 2);
    expect(broker.lines.slice(2)).toMatchObject([{ level: info, msg: 'all lanes are open again' }]);
  });

  test('with too few channels is reported once, with both numbers and the setting, and so is its end', async () => {
    const lanes = lanesUpTo(16);
    await using broker = open(lanes.length);
    const opened = await openAll(broker.laneBroker, lanes);
    expect(opened).toHaveLength(channelMax);
    const missing = lanes.filter((lane) => !opened.includes(lane));
    await tryOften(broker.laneBroker, missing);
    expect(broker.lines).toMatchObject([{ level: warn, msg: 'RabbitMQ allows too few channels' }]);
    expect(broker.lines[0]?.reason).toMatch(/\b8 channels.* needs 32\b.*channel_max/s);

    const closeAll = '[rabbit_networking:close_connection(C, "a test") || C <- rabbit_networking:connections()].';
    await control('eval', `application:set_env(rabbit, channel_max, 100), ${closeAll}`);
    await eventually('all lanes open', async () => (await openAll(broker.laneBroker, lanes)).length === lanes.length);
    expect(broker.lines.slice(1)).toMatchObject([{ level: info, msg: 'RabbitMQ allows enough channels again' }]);
  });
});
