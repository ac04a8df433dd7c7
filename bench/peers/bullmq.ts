/**
 * BullMQ: a queue for each user, and one worker of it that runs one job at a time. Without BullMQ Pro there is no other order by user. The users are divided among the
 * worker processes: two workers of one queue would run two of its jobs at once.
 */
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { Contender, Job, Place } from '../sides.ts';

const queueOf = (user: number): string => `user-${user}`;
const redisOf = ({ redisUrl }: Place): Redis => new Redis(redisUrl, { maxRetriesPerRequest: null });
/** Finished jobs are removed, as everybody does who has many. */
const jobOptions = { removeOnComplete: true, removeOnFail: true };

export const openClient: Contender['openClient'] = async (place) => {
  const connection = redisOf(place);
  const { name: prefix } = place;
  const queues = Array.from(
    { length: place.users },
    (_, user) => new Queue<Job>(queueOf(user), { connection, prefix }),
  );
  await Promise.all(queues.map((queue) => queue.waitUntilReady()));
  return {
    send: async (job) => void (await queues[job.user]?.add('job', job, jobOptions)),
    close: async () => {
      await connection.flushall();
      connection.disconnect();
    },
  };
};

export const openWorker: Contender['openWorker'] = async (place, index, work) => {
  const connection = redisOf(place);
  const { name: prefix } = place;
  const users = Array.from({ length: place.users }, (_, user) => user).filter((user) => user % place.workers === index);
  const open = (user: number) => new Worker<Job>(queueOf(user), ({ data }) => work(data), { connection, prefix });
  const workers = users.map(open);
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  return {
    close: async () => {
      await Promise.all(workers.map((worker) => worker.close(true)));
      connection.disconnect();
    },
  };
};
