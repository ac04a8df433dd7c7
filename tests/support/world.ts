/** A complete Lanekeeper in this process, on real servers, with its own database and queues. */
import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import { createLaneBroker, type RabbitLaneBroker } from '../../lib/broker/lane-broker.ts';
import { laneQueue, userQueue } from '../../lib/broker/names.ts';
import { createPublisher } from '../../lib/broker/publisher.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Config } from '../../lib/config.ts';
import { laneOf } from '../../lib/lane-of.ts';
import { type LaneWorker, startLaneWorker } from '../../lib/lanes/lane-worker.ts';
import { createLogger, type Logger } from '../../lib/log.ts';
import { pollUntil } from '../../lib/poll.ts';
import type { Clock, LaneObserver, PlanRun, Publisher, RunRequest } from '../../lib/ports.ts';
import { acceptRequest } from '../../lib/requests/accept.ts';
import { disconnect } from '../../lib/requests/disconnect.ts';
import { openStores, type Stores } from '../../lib/store/stores.ts';
import type { LedgerEntry, RequestMessage, RunLimits, UserQueue } from '../../lib/types.ts';
import { testConfig } from './servers.ts';
import { startProxyTo, type TcpProxy } from './tcp-proxy.ts';

export type TestUser = { userId: string; sessionId: string; lane: number };

export const silentObserver: LaneObserver = {
  laneTaken: () => undefined,
  laneReleased: () => undefined,
  runStarted: () => undefined,
  runEnded: () => undefined,
  runAskedToEnd: () => undefined,
  runUnresponsive: () => undefined,
  settled: () => undefined,
  deadLettered: () => undefined,
  swept: () => undefined,
};

/** Every run happens in the worker, without a timeout. */
export const runHere: PlanRun = () => ({ kind: 'here', timeoutMs: 0 });

export type World = Awaited<ReturnType<typeof openWorld>>;

/** The environment of a process that works on the servers, with the names, of a world. */
export const serversOf = ({ config }: World) => ({
  MONGODB_URL: config.mongodbUrl,
  RABBITMQ_URL: config.rabbitmqUrl,
  QUEUE_PREFIX: config.queuePrefix,
  LANES: String(config.lanes),
});

/**
 * Polls until `check` returns a truthy value, and returns it.
 *
 * @throws {Error} After `ms`, with `what` in its message.
 */
export const eventually = async <T>(
  what: string,
  check: () => Promise<T | undefined | false> | T | undefined | false,
  ms = 10_000,
): Promise<T> => {
  const found = await pollUntil(systemClock, ms, async () => (await check()) || undefined);
  if (found === undefined) throw new Error(`Timed out after ${ms} ms: ${what}`);
  return found as T;
};

export const openWorld = async (overrides: Partial<Config> = {}) => {
  const config = testConfig(overrides);
  const log = createLogger(process.env.TEST_LOG_LEVEL ?? 'silent');
  const stores = openStores(config);
  await stores.ping();
  const publisher = createPublisher(config, log);
  const deps = { ...stores, publisher, hints: publisher.hints, log, config };
  const workers: { worker: LaneWorker; laneBroker: RabbitLaneBroker; publisher: { close(): Promise<void> } }[] = [];
  const admin = await connect(config.rabbitmqUrl);
  const proxies: TcpProxy[] = [];
  /** Connections to MongoDB of hosts that have clocks of their own. */
  const ofHosts: Stores[] = [];

  const openStoresOn = (hostClock: Clock): Stores => {
    const opened = openStores(config, undefined, hostClock);
    ofHosts.push(opened);
    return opened;
  };

  /** Whether a queue exists. Uses a new channel, because RabbitMQ closes the channel when the queue does not exist. */
  const queueExists = async (name: string): Promise<boolean> => {
    const channel = await admin.createChannel();
    channel.on('error', () => undefined);
    try {
      await channel.checkQueue(name);
      await channel.close();
      return true;
    } catch {
      return false;
    }
  };

  const deleteQueue = async (name: string): Promise<void> => {
    const channel = await admin.createChannel();
    await channel.deleteQueue(name);
    await channel.close();
  };

  return {
    config,
    deps,
    stores,
    async user(): Promise<TestUser> {
      const userId = randomUUID().replaceAll('-', '').slice(0, 24);
      const lane = laneOf(userId, config.lanes);
      await stores.userQueues.create(userId, lane, new Date());
      return this.login({ userId, lane });
    },
    async login({ userId, lane }: { userId: string; lane: number }): Promise<TestUser> {
      const sessionId = randomUUID();
      await stores.userQueues.addSession(
        userId,
        { id: sessionId, expiresAt: new Date(Date.now() + 3_600_000) },
        lane,
        100,
      );
      return { userId, sessionId, lane };
    },
    enqueue: ({ userId, sessionId }: TestUser, request: unknown, key?: string, limits?: RunLimits) =>
      acceptRequest({ userId, sessionId, body: JSON.stringify(request), key, limits }, deps),
    disconnect: (user: TestUser, options: { pending?: 'drain' | 'cancel'; waitMs?: number } = {}) =>
      disconnect(
        {
          userId: user.userId,
          sessionId: user.sessionId,
          pending: options.pending ?? 'drain',
          wait: (_what, check) => pollUntil(systemClock, options.waitMs ?? 0, check),
        },
        deps,
      ),
    /** Starts a worker with its own connections. */
    work(
      runRequest: RunRequest,
      options: {
        observer?: Partial<LaneObserver>;
        config?: Partial<Config>;
        stores?: Partial<Stores>;
        /** The clock of the worker's host. The worker then has a connection to MongoDB of its own. */
        hostClock?: Clock;
        planRun?: PlanRun;
        log?: Logger;
      } = {},
    ) {
      const workerConfig = { ...config, ...options.config };
      const laneBroker = createLaneBroker(workerConfig, log);
      const own = createPublisher(workerConfig, log);
      const observer = { ...silentObserver, ...options.observer };
      const worker = startLaneWorker({
        ...deps,
        ...options.stores,
        ...(options.hostClock && openStoresOn(options.hostClock)),
        config: workerConfig,
        log: options.log ?? log,
        publisher: own,
        hints: own.hints,
        laneBroker,
        planRun: options.planRun ?? runHere,
        runRequest,
        observer,
      });
      workers.push({ worker, laneBroker, publisher: own });
      return worker;
    },
    /**
     * A proxy to the broker. `config` makes a worker use it. `cut` closes the worker's connections and accepts new
     * ones; `cutForGood` accepts none.
     */
    async cuttable() {
      const proxy = await startProxyTo(config.rabbitmqUrl);
      proxies.push(proxy);
      const cut = async () => {
        await proxy.cut();
        await proxy.restore();
      };
      return { config: { rabbitmqUrl: proxy.url }, cut, cutForGood: () => proxy.cut() };
    },
    async entry(user: TestUser, seq: number): Promise<LedgerEntry | undefined> {
      return (await stores.ledger.read([{ userId: user.userId, seq }]))[0];
    },
    async queue(user: TestUser): Promise<UserQueue | undefined> {
      return (await stores.userQueues.get([user.userId]))[0];
    },
    /** The number of workers that consume a lane: those that stand by, and the owner. */
    async laneConsumers(lane: number): Promise<number> {
      const channel = await admin.createChannel();
      const { consumerCount } = await channel.checkQueue(laneQueue(config.queuePrefix, lane));
      await channel.close();
      return consumerCount;
    },
    /** The number of messages in the user queue that have not been delivered to a consumer. */
    async waitingMessages(user: TestUser): Promise<number> {
      const channel = await admin.createChannel();
      const { messageCount } = await channel.checkQueue(userQueue(config.queuePrefix, user.userId));
      await channel.close();
      return messageCount;
    },
    /** Declares the user queue with arguments of its own, so that RabbitMQ refuses it to the owner. */
    async declareOtherUserQueue(user: TestUser): Promise<void> {
      const channel = await admin.createChannel();
      await channel.assertQueue(userQueue(config.queuePrefix, user.userId), { durable: true, maxLength: 1_000 });
      await channel.close();
    },
    /** The number of consumers of the user queue; `undefined` when it does not exist. */
    async userQueueConsumers(user: TestUser): Promise<number | undefined> {
      const name = userQueue(config.queuePrefix, user.userId);
      if (!(await queueExists(name))) return undefined;
      const channel = await admin.createChannel();
      const { consumerCount } = await channel.checkQueue(name);
      await channel.close();
      return consumerCount;
    },
    userQueueExists: (user: TestUser) => queueExists(userQueue(config.queuePrefix, user.userId)),
    deleteUserQueue: (user: TestUser) => deleteQueue(userQueue(config.queuePrefix, user.userId)),
    async settled(user: TestUser, seq: number, ms?: number): Promise<LedgerEntry> {
      return eventually(
        `request ${seq} is settled`,
        async () => {
          const entry = await this.entry(user, seq);
          return entry && !['queued', 'processing'].includes(entry.status) ? entry : undefined;
        },
        ms,
      );
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.map(({ worker }) => worker.stop()));
      await Promise.all(workers.flatMap((one) => [one.laneBroker.close(), one.publisher.close()]));
      await Promise.all(proxies.map((proxy) => proxy.close()));
      for (let lane = 0; lane < config.lanes; lane += 1) await deleteQueue(laneQueue(config.queuePrefix, lane));
      await Promise.all([publisher.close(), admin.close()]);
      await stores.drop();
      await Promise.all([...ofHosts, stores].map((one) => one.close()));
    },
  };
};

/** A publisher that records the messages of requests, in place of publishing them. */
export const recordPublished = ({
  deps,
}: Pick<World, 'deps'>): { published: RequestMessage[]; publisher: Publisher } => {
  const published: RequestMessage[] = [];
  const publishRequest: Publisher['publishRequest'] = async (_userId, message) => {
    published.push(message);
    return 'routed';
  };
  return { published, publisher: { ...deps.publisher, publishRequest } };
};
