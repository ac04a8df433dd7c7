/** What the log says when RabbitMQ lets a connection in, but not the user. */
import { expect, test } from '@jest/globals';
import { createConnection } from '../../lib/broker/connection.ts';
import { readableLog } from '../support/log-lines.ts';
import { rabbitmqUrl } from '../support/servers.ts';

const reasonFor = async (change: (url: URL) => void): Promise<unknown> => {
  const { log, lines } = readableLog();
  const url = new URL(rabbitmqUrl());
  change(url);
  const connection = createConnection({ urls: [url.href], name: 'test', heartbeatSeconds: 5 }, log);
  await expect(connection.get()).rejects.toMatchObject({ code: 'broker-unavailable' });
  await connection.close();
  return lines.find(({ msg }) => msg === 'RabbitMQ is not available')?.reason;
};

test('a virtual host that does not exist is named', async () => {
  const reason = await reasonFor((url) => {
    url.pathname = '/no%2Fsuch';
  });
  expect(reason).toMatch(/^RabbitMQ refused the virtual host no\/such: it does not exist, /);
});

test('a wrong password is called one, and is not shown', async () => {
  const reason = await reasonFor((url) => {
    url.username = 'nobody';
    url.password = 'hunter2';
  });
  expect(reason).toBe('RabbitMQ refused the user nobody or the password in RABBITMQ_URL');
});
