/** One of the bare consumers: takes what comes, claims it, does nothing, settles it. Tells its parent when it is ready and done. */
import { env } from 'node:process';
import { type ConsumeMessage, connect } from 'amqplib';
import { openBareDatabase } from './bare.ts';

const prefetch = 8;

const { client, documents } = await openBareDatabase(env.MONGODB_URL ?? '');
const connection = await connect(env.RABBITMQ_URL ?? '', { noDelay: true });
const channel = await connection.createChannel();
await channel.prefetch(prefetch);

const waiting: ConsumeMessage[] = [];
let busy = false;
let left = Number(env.REQUESTS);

const idOf = ({ content, fields }: ConsumeMessage): string =>
  `${fields.routingKey}:${(JSON.parse(content.toString('utf8')) as { seq: number }).seq}`;

const settle = async (batch: ConsumeMessage[]): Promise<void> => {
  const ids = batch.map(idOf);
  const change = (from: string, to: object) =>
    documents.bulkWrite(
      ids.map((_id) => ({ updateOne: { filter: { _id, status: from }, update: { $set: to } } })),
      { ordered: false },
    );
  await change('queued', { status: 'processing', startedAt: new Date() });
  for (const message of batch) channel.ack(message);
  await change('processing', { status: 'done', result: '1', settledAt: new Date() });
  left -= batch.length;
};

const work = async (): Promise<void> => {
  if (busy) return;
  busy = true;
  while (waiting.length > 0) await settle(waiting.splice(0));
  busy = false;
  if (left === 0) process.send?.('done');
};

for (const queue of env.QUEUES?.split(',') ?? []) {
  await channel.assertQueue(queue, { durable: true });
  await channel.consume(queue, (message) => {
    if (message) waiting.push(message);
    void work();
  });
}

process.once('SIGTERM', async () => {
  await connection.close();
  await client.close();
  process.exit(0);
});
process.send?.('ready');
