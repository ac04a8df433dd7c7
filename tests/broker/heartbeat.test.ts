import { afterAll, expect, test } from '@jest/globals';
import { createConnection } from '../../lib/broker/connection.ts';
import { heartbeatSecondsWithin } from '../../lib/broker/heartbeat.ts';
import { createLogger } from '../../lib/log.ts';
import { rabbitmqUrl } from '../support/servers.ts';
import { startProxyTo } from '../support/tcp-proxy.ts';
import { eventually } from '../support/world.ts';

const proxy = await startProxyTo(rabbitmqUrl());
const url = new URL(proxy.url);
// The heartbeat in a URL is for the other connections.
url.searchParams.set('heartbeat', '60');
const connection = createConnection(
  { urls: [url.href], name: 'test', heartbeatSeconds: 5, frozenAfterMs: 4_000 },
  createLogger('silent'),
);
afterAll(async () => {
  await connection.close();
  await proxy.close();
});

test.each([
  [3_000, 1],
  [4_000, 1],
  [6_000, 2],
  [15_000, 5],
])('a process that is frozen must be found within %i ms: the heartbeat is %i s', (frozenAfterMs, seconds) => {
  expect(heartbeatSecondsWithin(frozenAfterMs)).toBe(seconds);
});

test('a connection that must not be frozen sends something four times a second, and bears a server that is silent for longer', async () => {
  const model = await connection.get();
  let isClosed = false;
  model.once('close', () => {
    isClosed = true;
  });
  const { stream } = model.connection as unknown as { stream: { bytesWritten: number } };
  const before = stream.bytesWritten;
  const startedAt = performance.now();
  proxy.freeze('from-server');
  // A frame has 8 bytes. amqplib sends one a second, and gives a silent server up after two to three.
  await eventually('16 heartbeats were sent', () => stream.bytesWritten - before >= 16 * 8, 60_000);
  expect(performance.now() - startedAt).toBeLessThan(12_000);
  await eventually('four seconds are over', () => performance.now() - startedAt > 4_000);
  proxy.thaw();
  await (await model.createChannel()).close();
  expect(isClosed).toBe(false);
});
