/** What a broker may do to a connection, byte by byte: a real broker behind a relay or a proxy. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, expect, test } from '@jest/globals';
import { connect as connectAdmin } from 'amqplib';
import { createLaneBroker } from '../../lib/broker/lane-broker.ts';
import { laneQueue } from '../../lib/broker/names.ts';
import { createPublisher } from '../../lib/broker/publisher.ts';
import { BrokerUnavailableError } from '../../lib/errors.ts';
import { createLogger } from '../../lib/log.ts';
import { testConfig } from '../support/servers.ts';
import { startProxyTo } from '../support/tcp-proxy.ts';
import { ignoredEvents } from './ignored-events.ts';

const log = createLogger('silent');
// A long heartbeat interval, or the heartbeat would notice a silent broker before the test does.
const config = testConfig({ heartbeatSeconds: 60 });

afterAll(async () => {
  const admin = await connectAdmin(config.rabbitmqUrl);
  await (await admin.createChannel()).deleteQueue(laneQueue(config.queuePrefix, 1));
  await admin.close();
});

/** The method Connection.OpenOk, and a frame of AMQP 0-9-1 with Connection.Close (320: closed by an operator). */
const openOk = Buffer.from([0, 10, 0, 41]);
const closeFrame = Buffer.from([1, 0, 0, 0, 0, 0, 11, 0, 10, 0, 50, 0x01, 0x40, 0, 0, 0, 0, 0, 0xce]);

const throughPort = (rabbitmqUrl: string, port: number): string => {
  const url = new URL(rabbitmqUrl);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return url.href;
};

/** Relays everything, but closes the first connection in the same write that opens it. */
const startHastyRelay = async () => {
  let closed = false;
  const sockets = new Set<Socket>();
  const { hostname, port } = new URL(config.rabbitmqUrl);
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    near.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('error', () => near.destroy()).on('close', () => near.destroy());
    for (const socket of [near, far]) sockets.add(socket);
    near.pipe(far);
    far.on('data', (bytes) => {
      const hasty = !closed && bytes.includes(openOk);
      closed ||= hasty;
      near.write(hasty ? Buffer.concat([bytes, closeFrame]) : bytes);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    config: { ...config, rabbitmqUrl: throughPort(config.rabbitmqUrl, (server.address() as AddressInfo).port) },
    hasClosed: () => closed,
    [Symbol.asyncDispose]: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
};

const startProxy = async () => {
  const proxy = await startProxyTo(config.rabbitmqUrl);
  return {
    config: { ...config, rabbitmqUrl: proxy.url },
    freeze: proxy.freeze,
    [Symbol.asyncDispose]: proxy.close,
  };
};

test('lanes can be opened after a connection that the broker closed as it opened', async () => {
  await using relay = await startHastyRelay();
  const laneBroker = createLaneBroker(relay.config, log);
  await expect(laneBroker.openLane(1, ignoredEvents)).rejects.toBeInstanceOf(BrokerUnavailableError);
  expect(relay.hasClosed()).toBe(true);
  const channel = await laneBroker.openLane(1, ignoredEvents);
  expect(await channel.consumerCount()).toBe(1);
  await channel.close();
  await laneBroker.close();
});

test('a publisher works after a connection that the broker closed as it opened', async () => {
  await using relay = await startHastyRelay();
  const publisher = createPublisher(relay.config, log);
  expect(await publisher.publishWake(2, 'user')).toBe('unroutable');
  expect(relay.hasClosed()).toBe(true);
  await publisher.close();
});

test('closing ends although the broker does not answer', async () => {
  await using proxy = await startProxy();
  const laneBroker = createLaneBroker(proxy.config, log);
  const publisher = createPublisher(proxy.config, log);
  await Promise.all([laneBroker.openLane(1, ignoredEvents), publisher.ping()]);
  proxy.freeze('from-server');
  await Promise.all([laneBroker.close(), publisher.close()]);
});
