import { connect } from 'amqplib';
import mongoose from 'mongoose';
import { laneQueue } from '../../../lib/broker/names.ts';
import { mongodbUrl, rabbitmqUrl } from '../../support/servers.ts';

/** Deletes what a consumer with two lanes has left on the servers of the tests. */
export const removeTraces = async (name: string): Promise<void> => {
  const broker = await connect(rabbitmqUrl());
  const channel = await broker.createChannel();
  for (const lane of [0, 1]) await channel.deleteQueue(laneQueue(`${name}.`, lane));
  await broker.close();
  const store = await mongoose.createConnection(mongodbUrl(name)).asPromise();
  await store.dropDatabase();
  await store.close();
};
