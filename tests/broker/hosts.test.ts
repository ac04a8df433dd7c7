/** Several hosts in RABBITMQ_URL: a real broker behind two proxies, each of which is one host. */
import { expect, test } from '@jest/globals';
import type { ChannelModel } from 'amqplib';
import { createConnection } from '../../lib/broker/connection.ts';
import { urlsInRandomOrder } from '../../lib/broker/open-connection.ts';
import { createPublisher } from '../../lib/broker/publisher.ts';
import { readableLog } from '../support/log-lines.ts';
import { testConfig } from '../support/servers.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { eventually } from '../support/world.ts';

const heartbeatSeconds = 60;
const config = testConfig({ heartbeatSeconds, publishTimeoutMs: 20_000 });

const openHosts = async () => {
  const server = new URL(config.rabbitmqUrl);
  const open = () => startTcpProxy(server.hostname, Number(server.port));
  const hosts = [await open(), await open()];
  const rabbitmqUrl = config.rabbitmqUrl.replace(server.host, hosts.map(({ port }) => `127.0.0.1:${port}`).join());
  const { lines, log } = readableLog();
  const connect = () => createConnection({ urls: urlsInRandomOrder(rabbitmqUrl), name: 'test', heartbeatSeconds }, log);
  return {
    rabbitmqUrl,
    hosts,
    lines,
    log,
    connect,
    hostOf: (model: ChannelModel) => {
      const { remotePort } = (model.connection as unknown as { stream: { remotePort: number } }).stream;
      return hosts.find(({ port }) => port === remotePort)!;
    },
    [Symbol.asyncDispose]: async () =>
      void (await Promise.all(hosts.map((host) => host.close().catch(() => undefined)))),
  };
};

test('connections spread over the hosts', async () => {
  await using opened = await openHosts();
  const used = new Set<number>();
  await eventually('both hosts are used', async () => {
    const connection = opened.connect();
    used.add(opened.hostOf(await connection.get()).port);
    await connection.close();
    return used.size === 2;
  });
});

test('a connection moves to another host when its own dies, and says so', async () => {
  await using opened = await openHosts();
  const connection = opened.connect();
  const first = await connection.get();
  const host = opened.hostOf(first);
  const lost = new Promise((resolve) => first.once('close', resolve));
  await host.cut();
  await lost;
  const second = await connection.get();
  expect(opened.hostOf(second)).not.toBe(host);
  expect(opened.lines).toContainEqual(
    expect.objectContaining({
      msg: 'connected to another host of RabbitMQ',
      host: `127.0.0.1:${opened.hostOf(second).port}`,
    }),
  );
  await host.restore();
  await connection.close();
});

test('a connection that comes back to its host does not say that it is another one', async () => {
  await using opened = await openHosts();
  const connection = opened.connect();
  const first = await connection.get();
  const host = opened.hostOf(first);
  const other = opened.hosts.find((one) => one !== host)!;
  const lost = new Promise((resolve) => first.once('close', resolve));
  await other.cut();
  await host.cut();
  await lost;
  await host.restore();
  expect(opened.hostOf(await connection.get())).toBe(host);
  expect(opened.lines.map(({ msg }) => msg)).not.toContain('connected to another host of RabbitMQ');
  await other.restore();
  await connection.close();
});

test('a connection that begins with a dead host takes the next one', async () => {
  await using opened = await openHosts();
  const [dead, live] = opened.hosts;
  await dead!.cut();
  for (let count = 0; count < 8; count += 1) {
    const connection = opened.connect();
    expect(opened.hostOf(await connection.get())).toBe(live);
    await connection.close();
  }
  await dead!.restore();
});

test('nobody waits for a frozen host for long: a publisher that is connected to it publishes through another', async () => {
  await using opened = await openHosts();
  const publisher = createPublisher({ ...config, rabbitmqUrl: opened.rabbitmqUrl, publishTimeoutMs: 300 }, opened.log);
  await publisher.ping();
  for (const host of opened.hosts) {
    host.freeze();
    await eventually(
      'it publishes',
      () =>
        publisher.ping().then(
          () => true,
          () => false,
        ),
      20_000,
    );
    host.thaw();
  }
  await publisher.close();
});

test('when no host lets it in, the log has the reason of each', async () => {
  await using opened = await openHosts();
  for (const host of opened.hosts) await host.cut();
  const connection = opened.connect();
  await expect(connection.get()).rejects.toMatchObject({ code: 'broker-unavailable' });
  const away = opened.lines.find(({ msg }) => msg === 'RabbitMQ is not available');
  for (const { port } of opened.hosts) expect(away?.reason).toContain(String(port));
  for (const host of opened.hosts) await host.restore();
  await connection.close();
});
