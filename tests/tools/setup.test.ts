import { expect, test } from '@jest/globals';
import pino from 'pino';
import { createConnection } from '../../lib/broker/connection.ts';
import { testConfig } from '../support/servers.ts';

test('two test configurations share neither a database nor queue names', () => {
  const [one, other] = [testConfig(), testConfig({ lanes: 2 })];
  expect(one.mongodbUrl).not.toBe(other.mongodbUrl);
  expect(one.queuePrefix).not.toBe(other.queuePrefix);
  expect(other.lanes).toBe(2);
});

test('the test RabbitMQ accepts its own user and refuses guest', async () => {
  const { rabbitmqUrl } = testConfig();
  const login = async (url: string) => {
    const options = { urls: [url], name: 'test', heartbeatSeconds: 5 };
    const connection = createConnection(options, pino({ level: 'silent' }));
    await connection.get().finally(() => connection.close());
  };
  await login(rabbitmqUrl);
  const asGuest = new URL(rabbitmqUrl);
  asGuest.username = 'guest';
  asGuest.password = 'guest';
  await expect(login(asGuest.href)).rejects.toThrow('RabbitMQ');
});
