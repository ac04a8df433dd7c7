/** GroupMQ: one queue, in which each user is a group. */
import { Queue, Worker } from 'groupmq';
import { Redis } from 'ioredis';
import type { Contender, Job, Place } from '../sides.ts';

/** As many as a worker of Lanekeeper runs by default. */
const concurrency = 64;

const openQueue = ({ redisUrl, name }: Place) => {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  return { redis, queue: new Queue<Job>({ redis, namespace: name }) };
};

export const openClient: Contender['openClient'] = async (place) => {
  const { redis, queue } = openQueue(place);
  return {
    send: async (job) => void (await queue.add({ groupId: `user-${job.user}`, data: job })),
    close: async () => {
      await redis.flushall();
      redis.disconnect();
    },
  };
};

export const openWorker: Contender['openWorker'] = async (place, _index, work) => {
  const { redis, queue } = openQueue(place);
  const worker = new Worker<Job>({ queue, concurrency, handler: ({ data }) => work(data) });
  void worker.run();
  return {
    close: async () => {
      await worker.close(0);
      redis.disconnect();
    },
  };
};
