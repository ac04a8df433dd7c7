/** pg-boss: one queue of the policy `key_strict_fifo`, in which the user is the key. Jobs are sent one by one. */
import { PgBoss } from 'pg-boss';
import type { Contender, Job, Place } from '../sides.ts';

const queue = 'jobs';
/** Set once, not tuned. A fetch takes one job of each user at most. */
const work = { localConcurrency: 2, batchSize: 50, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true };
const connections = 20;

const open = async ({ postgresUrl, name }: Place, isFirst: boolean): Promise<PgBoss> => {
  const shared = { connectionString: postgresUrl, schema: name.replaceAll('-', '_'), max: connections };
  const boss = new PgBoss({
    ...shared,
    useListenNotify: !isFirst,
    supervise: false,
    schedule: false,
    migrate: isFirst,
  });
  boss.on('error', () => undefined);
  return boss.start();
};

export const openClient: Contender['openClient'] = async (place) => {
  const boss = await open(place, true);
  await boss.createQueue(queue, { policy: 'key_strict_fifo', notify: true });
  const { schema, sql } = { schema: place.name.replaceAll('-', '_'), sql: boss.getDb() };
  return {
    send: async (job) => void (await boss.send(queue, job, { singletonKey: `user-${job.user}` })),
    unsettled: async () => {
      const { rows } = await sql.executeSql(`SELECT count(*) FROM ${schema}.job WHERE state < 'completed'`);
      return Number(rows[0].count);
    },
    close: async () => {
      await sql.executeSql(`DROP SCHEMA ${schema} CASCADE`);
      await boss.stop({ graceful: false });
    },
  };
};

export const openWorker: Contender['openWorker'] = async (place, _index, run) => {
  const boss = await open(place, false);
  await boss.work<Job>(queue, work, async (jobs) => {
    await Promise.all(jobs.map(({ data }) => run(data)));
  });
  return { close: () => boss.stop({ graceful: false }) };
};
