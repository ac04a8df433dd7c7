/**
 * What the same two servers give to the same operations without Lanekeeper: no lanes, no sessions, no tokens, no order
 * under crashes. The bound that the product's figures are held against.
 */
import { once } from 'node:events';
import { type ConfirmChannel, connect } from 'amqplib';
import mongoose from 'mongoose';
import { startChild } from './child.ts';
import { perSecond } from './figures.ts';
import { closedLoop, nowMs } from './load.ts';
import type { BenchServers } from './servers.ts';

export type BareFigures = {
  /** Of each kind of operation alone. */
  operations: number;
  insertsPerSecond: number;
  findAndUpdatesPerSecond: number;
  bulkUpdatesPerSecond: number;
  publishesPerSecond: number;
  deliveriesPerSecond: number;
  loop: { requests: number; acceptedPerSecond: number; endToEndPerSecond: number };
};

type Counter = { _id: string; accepted: number };
type Document = { _id: string; seq: number; body: string; status: string; acceptedAt: Date };

const inFlight = 64;
const users = 100;
const operations = 2_000;
const bulkSize = 100;
const loopRequests = 4_000;
const consumers = 2;

const body = JSON.stringify({ text: 'request 12345' });

/** As durable as the product's. */
export const openBareDatabase = async (url: string) => {
  const options = { w: 'majority', journal: true, readConcernLevel: 'majority', maxPoolSize: inFlight } as const;
  const client = await new mongoose.mongo.MongoClient(url, options).connect();
  const database = client.db();
  return { client, counters: database.collection<Counter>('counters'), documents: database.collection<Document>('d') };
};

type Database = Awaited<ReturnType<typeof openBareDatabase>>;

const timed = async (count: number, work: (index: number) => Promise<unknown>): Promise<number> => {
  const startedAt = nowMs();
  await closedLoop({ count, inFlight }, async (index) => {
    await work(index);
  });
  return perSecond(count, nowMs() - startedAt);
};

const documentOf = (name: string, index: number): Document => ({
  _id: `${name}:${index}`,
  seq: index,
  body,
  status: 'queued',
  acceptedAt: new Date(),
});

const takeNumber = async ({ counters }: Database, user: number): Promise<number> => {
  const update = { $inc: { accepted: 1 } };
  const after = await counters.findOneAndUpdate({ _id: `user-${user}` }, update, { returnDocument: 'after' });
  return after?.accepted ?? Number.NaN;
};

const measureDatabase = async (database: Database) => {
  const { documents } = database;
  const insertsPerSecond = await timed(operations, (index) => documents.insertOne(documentOf('bare', index)));
  const findAndUpdatesPerSecond = await timed(operations, (index) => takeNumber(database, index % users));
  const bulks = operations / bulkSize;
  const startedAt = nowMs();
  for (let bulk = 0; bulk < bulks; bulk += 1) {
    const updates = Array.from({ length: bulkSize }, (_, index) => ({
      updateOne: {
        filter: { _id: `bare:${bulk * bulkSize + index}`, status: 'queued' },
        update: { $set: { status: 'done', result: body, settledAt: new Date() } },
      },
    }));
    await documents.bulkWrite(updates, { ordered: false });
  }
  const bulkUpdatesPerSecond = perSecond(operations, nowMs() - startedAt);
  return { insertsPerSecond, findAndUpdatesPerSecond, bulkUpdatesPerSecond };
};

const publish = (channel: ConfirmChannel, queue: string, content: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const options = { persistent: true, mandatory: true };
    channel.publish('', queue, Buffer.from(content), options, (error) => (error ? reject(error) : resolve()));
  });

const queueOf = (user: number): string => `bare.${user}`;

const measureBroker = async (channel: ConfirmChannel) => {
  const queue = 'bare.alone';
  await channel.assertQueue(queue, { durable: true });
  const publishesPerSecond = await timed(operations, () => publish(channel, queue, body));
  const startedAt = nowMs();
  await channel.prefetch(inFlight);
  await new Promise<void>((resolve) => {
    let received = 0;
    void channel.consume(queue, (message) => {
      if (!message) return;
      channel.ack(message);
      received += 1;
      if (received === operations) resolve();
    });
  });
  const deliveriesPerSecond = perSecond(operations, nowMs() - startedAt);
  await channel.deleteQueue(queue);
  return { publishesPerSecond, deliveriesPerSecond };
};

/** Each has half of the queues, as each worker has half of the lanes. */
const startConsumers = (servers: BenchServers, database: string) =>
  Promise.all(
    Array.from({ length: consumers }, async (_, part) => {
      const queues = Array.from({ length: users }, (_, user) => user).filter((user) => user % consumers === part);
      const child = startChild({
        name: `bare-consumer-${part}`,
        script: 'tools/bench/bare-consumer.ts',
        folder: servers.folder,
        env: {
          MONGODB_URL: servers.mongodbUrl(database),
          RABBITMQ_URL: servers.rabbitmqUrl,
          QUEUES: queues.map(queueOf).join(','),
          REQUESTS: String(loopRequests / consumers),
        },
      });
      await Promise.race([once(child.process, 'message'), child.death]);
      return child;
    }),
  );

const measureLoop = async (servers: BenchServers, database: Database, channel: ConfirmChannel, name: string) => {
  const children = await startConsumers(servers, name);
  const ends = children.map(({ process, death }) => Promise.race([once(process, 'message'), death]));
  const startedAt = nowMs();
  const acceptedPerSecond = await timed(loopRequests, async (index) => {
    const user = index % users;
    const seq = await takeNumber(database, user);
    await database.documents.insertOne(documentOf(queueOf(user), seq));
    await publish(channel, queueOf(user), JSON.stringify({ seq, body, acceptedAt: Date.now() }));
  });
  await Promise.all(ends);
  const endToEndPerSecond = perSecond(loopRequests, nowMs() - startedAt);
  await Promise.all(children.map((child) => child.stop()));
  return { requests: loopRequests, acceptedPerSecond, endToEndPerSecond };
};

export const measureBare = async (servers: BenchServers): Promise<BareFigures> => {
  const name = 'bare';
  const database = await openBareDatabase(servers.mongodbUrl(name));
  const connection = await connect(servers.rabbitmqUrl, { noDelay: true });
  try {
    const channel = await connection.createConfirmChannel();
    const counters = Array.from({ length: users }, (_, user) => ({ _id: `user-${user}`, accepted: 0 }));
    await database.counters.insertMany(counters);
    const alone = { ...(await measureDatabase(database)), ...(await measureBroker(channel)) };
    await database.counters.updateMany({}, { $set: { accepted: 0 } });
    return { operations, ...alone, loop: await measureLoop(servers, database, channel, name) };
  } finally {
    await connection.close();
    await database.client.close();
  }
};
