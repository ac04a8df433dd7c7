/** A queue that takes no message, as while its node of a cluster is frozen. Here its process in RabbitMQ is suspended. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { connect } from 'amqplib';
import { userQueue } from '../../lib/broker/names.ts';
import { createPublisher } from '../../lib/broker/publisher.ts';
import { BrokerUnavailableError } from '../../lib/errors.ts';
import { findRabbitmq, rabbitmqctl } from '../../tools/services/rabbitmq.ts';
import { readableLog } from '../support/log-lines.ts';
import { privateRabbitmq } from '../support/private-servers.ts';
import { testConfig } from '../support/servers.ts';

const testMs = 120_000;
const silent = 'ada';
const other = 'bob';
const request = { seq: 1, body: '{}', acceptedAt: 0 };

(findRabbitmq() ? test : test.skip)(
  'a queue that takes no message holds up only what is sent to it',
  async () => {
    await using server = await privateRabbitmq();
    const config = testConfig({ rabbitmqUrl: server.url, publishTimeoutMs: 5_000 });
    const { log, lines } = readableLog();
    const publisher = createPublisher(config, log);
    const admin = await connect(server.url);
    const channel = await admin.createChannel();
    for (const user of [silent, other]) await channel.assertQueue(userQueue(config.queuePrefix, user));
    const name = `rabbit_misc:r(<<"/">>, queue, <<"${userQueue(config.queuePrefix, silent)}">>)`;
    await rabbitmqctl(server.folder, [
      'eval',
      `{ok, Q} = rabbit_amqqueue:lookup(${name}), sys:suspend(amqqueue:get_pid(Q)).`,
    ]);
    try {
      let isOver = false;
      const unanswered = publisher.publishRequest(silent, request).then(
        () => 'routed',
        (error) => error,
      );
      void unanswered.then(() => {
        isOver = true;
      });
      while (!isOver) {
        expect(await publisher.publishRequest(other, request)).toBe('routed');
        await pause(20);
      }
      expect(await unanswered).toBeInstanceOf(BrokerUnavailableError);
      expect(await publisher.publishRequest(other, request)).toBe('routed');
      expect(lines).toEqual([]);
    } finally {
      await Promise.all([publisher.close(), admin.close()]);
    }
  },
  testMs,
);
