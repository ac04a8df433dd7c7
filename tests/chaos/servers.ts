/** The two servers of a run, and the proxies through which each process reaches them. */
import { setTimeout as pause } from 'node:timers/promises';
import { type ChannelModel, connect } from 'amqplib';
import { createSequence } from '../../lib/sequence.ts';
import { urlsOfHosts } from '../../lib/server-url.ts';
import { rabbitmqctl } from '../../tools/services/rabbitmq.ts';
import { type PrivateServer, privateMongodb, privateRabbitmq } from '../support/private-servers.ts';
import type { RabbitmqCluster } from '../support/rabbitmq-cluster.ts';
import { canStepDown, stepDown } from '../support/replica-set.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

/** The proxies of one process. `env` makes the process use them. */
export type Proxies = {
  env: { RABBITMQ_URL: string; MONGODB_URL: string };
  broker: TcpProxy;
  store: TcpProxy;
  close(): Promise<void>;
};

export type Outage = { how: 'stop' | 'kill'; lastsMs: number; wipe?: boolean };

export type Server = {
  /** The URL of the server itself, without a proxy. */
  url: string;
  /**
   * Stops the server and starts it again after `lastsMs`. Resolves to the times when the server went down and when it
   * was up again.
   */
  outage(outage: Outage, now: () => number): Promise<{ at: number; until: number }>;
  /** Does this in turn with the outages: the server is up all the time. */
  whileUp<T>(work: () => Promise<T>): Promise<T>;
};

export type Servers = {
  broker: Server & {
    /** Runs `rabbitmqctl`. */
    administer(...args: string[]): Promise<string>;
  };
  store: Server & {
    /** Steps down as the primary of its replica set for so long. `undefined` where the server is no replica set. */
    stepDown?: (lastsMs: number, now: () => number) => Promise<{ at: number; until: number }>;
  };
  openProxies(): Promise<Proxies>;
  [Symbol.asyncDispose](): Promise<void>;
};

const createServer = (server: PrivateServer): Server => {
  const inTurn = createSequence();
  const outage = async ({ how, lastsMs, wipe }: Outage, now: () => number) => {
    const at = now();
    await server[how]();
    if (wipe) server.wipe();
    await pause(lastsMs);
    await server.start();
    return { at, until: now() };
  };
  return {
    url: server.url,
    outage: (how, now) => inTurn(() => outage(how, now)),
    whileUp: inTurn,
  };
};

/** A connection to the first host that lets us in. */
export const connectToAny = async (rabbitmqUrl: string, options: { timeout?: number } = {}): Promise<ChannelModel> => {
  const reasons: unknown[] = [];
  for (const url of urlsOfHosts(rabbitmqUrl)) {
    try {
      return await connect(url, options);
    } catch (error) {
      reasons.push(error);
    }
  }
  throw new AggregateError(reasons, 'No host of RabbitMQ can be reached.');
};

const through = (url: string, port: number): string => {
  const named = new URL(url);
  named.port = String(port);
  return named.href;
};

/** One proxy for each host that the URL names. What is done to them is done to all of them. */
const openBrokerProxies = async (url: string): Promise<{ url: string; proxy: TcpProxy }> => {
  const proxies = await Promise.all(urlsOfHosts(url).map(openProxy));
  const others = proxies.slice(1).map(({ port }) => `127.0.0.1:${port}`);
  const all = async (act: (proxy: TcpProxy) => Promise<void>) => void (await Promise.all(proxies.map(act)));
  const each = (act: (proxy: TcpProxy) => void) => {
    for (const proxy of proxies) act(proxy);
  };
  return {
    url: [through(urlsOfHosts(url)[0]!, proxies[0]!.port), ...others].join(),
    proxy: {
      port: proxies[0]!.port,
      cut: () => all((proxy) => proxy.cut()),
      restore: () => all((proxy) => proxy.restore()),
      freeze: (direction) => each((proxy) => proxy.freeze(direction)),
      thaw: () => each((proxy) => proxy.thaw()),
      delay: (ms) => each((proxy) => proxy.delay(ms)),
      close: () => all((proxy) => proxy.close()),
    },
  };
};

const openProxy = (url: string): Promise<TcpProxy> => {
  const { hostname, port } = new URL(url);
  return startTcpProxy(hostname, Number(port));
};

/** RabbitMQ as the processes reach it: each takes the next of its URLs, in turn. */
type Broker = { server: Servers['broker']; urls: string[]; [Symbol.asyncDispose](): Promise<void> };

const openNode = async (): Promise<Broker> => {
  const rabbitmq = await privateRabbitmq();
  return {
    server: { ...createServer(rabbitmq), administer: (...args) => rabbitmqctl(rabbitmq.folder, ['--quiet', ...args]) },
    urls: [rabbitmq.url],
    [Symbol.asyncDispose]: () => rabbitmq[Symbol.asyncDispose](),
  };
};

const noWhole = () => Promise.reject(new Error('A cluster is not administered as a whole: choose one of its nodes.'));

/** The first process reaches the first node, and so on; whoever uses no proxy reaches the last one. */
const clusterBroker = (cluster: RabbitmqCluster): Broker => ({
  server: {
    url: cluster.urls.at(-1) as string,
    outage: noWhole,
    whileUp: noWhole,
    administer: noWhole,
  },
  urls: cluster.urls,
  // It belongs to the caller.
  [Symbol.asyncDispose]: async () => undefined,
});

const createStore = async (mongodb: PrivateServer): Promise<Servers['store']> => {
  const server = createServer(mongodb);
  if (!(await canStepDown(mongodb.url))) return server;
  const stepDownOnce = async (lastsMs: number, now: () => number) => {
    const at = now();
    await stepDown(mongodb.url, Math.ceil(lastsMs / 1_000));
    return { at, until: now() };
  };
  return { ...server, stepDown: (lastsMs, now) => server.whileUp(() => stepDownOnce(lastsMs, now)) };
};

/** @param cluster is used in place of a RabbitMQ with one node. */
export const startServers = async (cluster?: RabbitmqCluster): Promise<Servers> => {
  const [rabbitmq, mongodb] = await Promise.all([cluster ? clusterBroker(cluster) : openNode(), privateMongodb()]);
  const store = await createStore(mongodb);
  const proxies = new Set<TcpProxy>();
  let opened = 0;
  return {
    broker: rabbitmq.server,
    store,
    openProxies: async () => {
      const brokerUrl = rabbitmq.urls[opened % rabbitmq.urls.length] as string;
      opened += 1;
      const [{ proxy: broker, url: throughBroker }, store] = await Promise.all([
        openBrokerProxies(brokerUrl),
        openProxy(mongodb.url),
      ]);
      const own = [broker, store];
      for (const proxy of own) proxies.add(proxy);
      return {
        env: { RABBITMQ_URL: throughBroker, MONGODB_URL: through(mongodb.url, store.port) },
        broker,
        store,
        close: async () => {
          for (const proxy of own) proxies.delete(proxy);
          await Promise.all(own.map((proxy) => proxy.close()));
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...proxies].map((proxy) => proxy.close()));
      await Promise.all([rabbitmq[Symbol.asyncDispose](), mongodb[Symbol.asyncDispose]()]);
    },
  };
};
