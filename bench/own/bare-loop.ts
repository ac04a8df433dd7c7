/**
 * The limit of these servers: the durable writes and messages that a request of Lanekeeper costs, as many as possible in one update, without order, ownership,
 * sessions or limits. A ticket, a record, a message with its confirm, its delivery and ack, a claim and a settlement.
 */
import { connect } from 'amqplib';
import mongoose from 'mongoose';
import { createBatches } from '../batches.ts';
import type { Contender, Job, Place } from '../sides.ts';
import { jobOf, openPublisher } from './amqp.ts';

type Ticket = { _id: string; accepted: number };
type Time = 'acceptedAt' | 'startedAt' | 'settledAt';
type Entry = { _id: string; user: string; seq: number; body: string; status: string } & { [time in Time]?: Date };

/** As a worker of Lanekeeper by default. */
const prefetch = 128;

const openDatabase = async ({ mongodbUrl }: Place) => {
  // As durable as the product's.
  const options = { w: 'majority', journal: true, readConcernLevel: 'majority' } as const;
  const client = await new mongoose.mongo.MongoClient(mongodbUrl, options).connect();
  const database = client.db();
  return { client, tickets: database.collection<Ticket>('tickets'), entries: database.collection<Entry>('entries') };
};

const idOf = ({ user, n }: Job): string => `user-${user}:${n}`;

export const openClient: Contender['openClient'] = async (place) => {
  const { client, tickets, entries } = await openDatabase(place);
  const { connection, channel, publish } = await openPublisher(place.rabbitmqUrl, { persistent: false });
  await channel.assertQueue(place.name, { durable: true, arguments: { 'x-queue-type': 'classic' } });
  const users = Array.from({ length: place.users }, (_, user) => ({ _id: `user-${user}`, accepted: 0 }));
  await tickets.insertMany(users, { ordered: false });

  const takeTicket = createBatches(async (jobs: Job[]) => {
    const counts = [...Map.groupBy(jobs, ({ user }) => `user-${user}`)].map(([_id, own]) => ({
      _id,
      count: own.length,
    }));
    const updates = [...Map.groupBy(counts, ({ count }) => count)].map(([count, users]) => ({
      updateMany: { filter: { _id: { $in: users.map(({ _id }) => _id) } }, update: { $inc: { accepted: count } } },
    }));
    await tickets.bulkWrite(updates, { ordered: false });
    return jobs;
  });
  const record = createBatches(async (jobs: Job[]) => {
    const acceptedAt = new Date();
    const documents = jobs.map((job) => {
      const rest = { user: `user-${job.user}`, seq: job.n, body: JSON.stringify(job), status: 'queued', acceptedAt };
      return { _id: idOf(job), ...rest };
    });
    await entries.insertMany(documents, { ordered: false });
    return jobs;
  });
  return {
    send: async (job) => {
      await takeTicket(job);
      await record(job);
      await publish(place.name, job);
    },
    unsettled: () => entries.countDocuments({ status: { $ne: 'done' } }),
    close: async () => {
      await Promise.all([connection.close(), client.close()]);
    },
  };
};

export const openWorker: Contender['openWorker'] = async (place, _index, work) => {
  const { client, entries } = await openDatabase(place);
  const connection = await connect(place.rabbitmqUrl, { noDelay: true });
  const channel = await connection.createChannel();
  await channel.prefetch(prefetch);
  const move = (from: string, to: string, time: Time) =>
    createBatches(async (jobs: Job[]) => {
      const update = { $set: { status: to, [time]: new Date() } };
      await entries.updateMany({ _id: { $in: jobs.map(idOf) }, status: from }, update);
      return jobs;
    });
  const [claim, settle] = [move('queued', 'processing', 'startedAt'), move('processing', 'done', 'settledAt')];
  await channel.consume(place.name, async (message) => {
    if (!message) return;
    const job = jobOf(message.content);
    await claim(job);
    await work(job);
    await settle(job);
    channel.ack(message);
  });
  return {
    close: async () => {
      await connection.close();
      await client.close();
    },
  };
};
