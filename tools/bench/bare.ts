/**
 * The same servers without Lanekeeper: the operations that accept a request, with no lanes, no sessions, no tokens and no
 * order after a crash. This is the bound that the product's figures are compared with.
 */
import { connect } from 'amqplib';
import mongoose from 'mongoose';
import { closedLoop, nowMs } from './load.ts';
import type { BenchServers } from './servers.ts';

/** Each for a second, by what was done. */
export type BareRates = Record<'insertOne' | 'findOneAndUpdate' | 'confirmed publish' | 'all three', number>;

type Document = { _id: string; seq: number; body: string; status: string; acceptedAt: Date };

export const operations = 3_000;
const inFlight = 64;
const users = 100;
const body = JSON.stringify({ text: 'request 12345' });

export const measureBare = async ({ mongodbUrl, rabbitmqUrl }: BenchServers): Promise<BareRates> => {
  // As durable as the product's.
  const options = { w: 'majority', journal: true, readConcernLevel: 'majority', maxPoolSize: inFlight } as const;
  const client = await new mongoose.mongo.MongoClient(mongodbUrl('bare'), options).connect();
  const counters = client.db().collection<{ _id: string; accepted: number }>('counters');
  const documents = client.db().collection<Document>('documents');
  const connection = await connect(rabbitmqUrl, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  const queue = 'bare';
  await channel.assertQueue(queue, { durable: true });

  const takeSeq = async (user: string): Promise<number> => {
    const after = { returnDocument: 'after', upsert: true } as const;
    return (await counters.findOneAndUpdate({ _id: user }, { $inc: { accepted: 1 } }, after))?.accepted ?? Number.NaN;
  };
  const insert = (user: string, seq: number) =>
    documents.insertOne({ _id: `${user}:${seq}`, seq, body, status: 'queued', acceptedAt: new Date() });
  const publish = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const persistent = { persistent: true, mandatory: true };
      channel.publish('', queue, Buffer.from(body), persistent, (error) => (error ? reject(error) : resolve()));
    });
  const rateOf = async (work: (index: number) => Promise<unknown>): Promise<number> => {
    const startedAt = nowMs();
    await closedLoop({ count: operations, inFlight }, work);
    return (operations * 1_000) / (nowMs() - startedAt);
  };

  try {
    return {
      insertOne: await rateOf((index) => insert('alone', index)),
      findOneAndUpdate: await rateOf((index) => takeSeq(`alone-${index % users}`)),
      'confirmed publish': await rateOf(publish),
      'all three': await rateOf(async (index) => {
        const user = `user-${index % users}`;
        await insert(user, await takeSeq(user));
        await publish();
      }),
    };
  } finally {
    await connection.close();
    await client.close();
  }
};
