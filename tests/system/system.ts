/** The whole product in separate processes: the API, consumers and clients, with a history of what happened. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from 'amqplib';
import { laneQueue, userQueue } from '../../lib/broker/names.ts';
import { openStores } from '../../lib/store/stores.ts';
import { consumerScript, startCluster, type TestCluster } from '../consumer/support/cluster.ts';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import type { FinalState, HistoryEvent } from '../judge/history.ts';
import { testConfig } from '../support/servers.ts';
import { monotonicMs } from './monotonic.ts';
import { readHistory } from './recorder.ts';

const lanes = 16;
const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export type Client = {
  userId: string;
  /** Resolves to the `seq`, or to `undefined` when the API refused the request. Writes either to the history. */
  enqueue(request: unknown, key?: string): Promise<number | undefined>;
  login(): Promise<void>;
  disconnect(query?: string): Promise<string>;
  get(path: string): Promise<Record<string, unknown>>;
};

export type System = AsyncDisposable & {
  api: ApiProcess;
  /** What the API and every consumer are started with. */
  environment: Readonly<Record<string, string>>;
  record(event: HistoryEvent): void;
  consumer(name: string, environment?: Record<string, string>): TestCluster;
  /** @param through another API than that of the system. */
  client(name: string, through?: ApiProcess): Promise<Client>;
  /** All events: what the clients received, what the runs wrote, and the faults. */
  history(): HistoryEvent[];
  /** The state after every user has disconnected. */
  final(): Promise<FinalState>;
};

/** @param adminUrl a RabbitMQ user that may look at and delete every queue, where that of `environment` may not. */
export const openSystem = async (
  environment: Record<string, string> = {},
  adminUrl = environment.RABBITMQ_URL,
): Promise<System> => {
  const config = testConfig();
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-'));
  const historyFile = join(folder, 'history.jsonl');
  writeFileSync(historyFile, '');
  const events: HistoryEvent[] = [];
  const users: string[] = [];
  const clusters: TestCluster[] = [];
  const shared = {
    MONGODB_URL: config.mongodbUrl,
    RABBITMQ_URL: config.rabbitmqUrl,
    QUEUE_PREFIX: config.queuePrefix,
    LANES: String(lanes),
    LOG_LEVEL: 'info',
    ...environment,
  };
  const rabbitmqUrl = adminUrl ?? shared.RABBITMQ_URL;
  const api = await startApi([file('../../functions/api.ts')], shared);
  const record = (event: HistoryEvent): void => void events.push(event);

  const client = async (name: string, through = api): Promise<Client> => {
    const credentials = { username: name, password: 'correct horse' };
    const { userId } = (await through.call({ call: 'POST /register', body: credentials })).body as { userId: string };
    users.push(userId);
    let token = '';
    const login = async () => {
      token = (await through.call({ call: 'POST /login', body: credentials })).body.token as string;
    };
    await login();
    return {
      userId,
      login,
      async enqueue(request, key) {
        const headers = key === undefined ? undefined : { 'idempotency-key': key };
        const answer = await through.call({ call: 'POST /enqueue', body: { request }, token, headers });
        const at = monotonicMs();
        if (answer.status !== 202) {
          record({ kind: 'refused', userId, at, code: String(answer.body.code) });
          return undefined;
        }
        const seq = answer.body.seq as number;
        record({ kind: 'accepted', userId, seq, at, ...(key === undefined ? {} : { key }) });
        return seq;
      },
      disconnect: async (query = '?wait=20') =>
        (await through.call({ call: `POST /disconnect${query}`, body: {}, token })).body.queue as string,
      get: async (path) => (await through.call({ call: `GET ${path}`, token })).body,
    };
  };

  const history = (): HistoryEvent[] => [...events, ...readHistory(historyFile)];

  const leftOverQueues = async (): Promise<string[]> => {
    const connection = await connect(rabbitmqUrl);
    const found: string[] = [];
    for (const name of users.map((userId) => userQueue(config.queuePrefix, userId))) {
      const channel = await connection.createChannel();
      channel.on('error', () => undefined);
      await channel.checkQueue(name).then(
        () => found.push(name),
        () => undefined,
      );
      await channel.close().catch(() => undefined);
    }
    await connection.close();
    return found;
  };

  const stores = openStores(config);
  const final = async (): Promise<FinalState> => {
    const queues = await stores.userQueues.get(users);
    const pages = queues.map(({ userId, accepted }) =>
      stores.ledger.read(Array.from({ length: accepted }, (_, index) => ({ userId, seq: index + 1 }))),
    );
    return { ledger: (await Promise.all(pages)).flat(), userQueues: queues, leftOverQueues: await leftOverQueues() };
  };

  return {
    api,
    environment: shared,
    record,
    client,
    history,
    final,
    consumer(name, own = {}) {
      const cluster = startCluster(
        {
          ...shared,
          CONSUMER_NAME: name,
          HISTORY_FILE: historyFile,
          PROCESSOR: file('./recording-processor.ts'),
          ...own,
        },
        consumerScript,
      );
      clusters.push(cluster);
      return cluster;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(
        clusters.map(async (cluster) => {
          cluster.signal('SIGTERM');
          await cluster.exited;
        }),
      );
      await api.end();
      const connection = await connect(rabbitmqUrl);
      const channel = await connection.createChannel();
      const used = Math.max(lanes, ...(await stores.lanes.known()).map((lane) => lane + 1));
      for (let lane = 0; lane < used; lane += 1) await channel.deleteQueue(laneQueue(config.queuePrefix, lane));
      await connection.close();
      await stores.drop();
      await stores.close();
      rmSync(folder, { recursive: true });
    },
  };
};
