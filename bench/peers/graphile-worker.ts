/** graphile-worker: each user is a named queue, whose jobs run one after another. */
import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';
import type { Contender, Job, Place } from '../sides.ts';

/** Set once, not tuned. */
const concurrency = 24;

const optionsOf = ({ postgresUrl, name }: Place) => {
  const pgPool = new pg.Pool({ connectionString: postgresUrl, max: concurrency + 2 });
  // The library asks for both.
  pgPool.on('error', () => undefined).on('connect', (client) => client.on('error', () => undefined));
  return { pgPool, schema: name.replaceAll('-', '_'), logger: new Logger(() => () => undefined) };
};

export const openClient: Contender['openClient'] = async (place) => {
  const options = optionsOf(place);
  const { pgPool, schema } = options;
  const utils = await makeWorkerUtils(options);
  await utils.migrate();
  return {
    send: async (job) => void (await utils.addJob('job', job, { queueName: `user-${job.user}` })),
    unsettled: async () => Number((await pgPool.query(`SELECT count(*) FROM ${schema}.jobs`)).rows[0].count),
    close: async () => {
      await pgPool.query(`DROP SCHEMA ${schema} CASCADE`);
      await utils.release();
      await pgPool.end();
    },
  };
};

export const openWorker: Contender['openWorker'] = async (place, _index, work) => {
  const options = { ...optionsOf(place), concurrency, noHandleSignals: true };
  const runner = await run({ ...options, taskList: { job: (payload) => work(payload as Job) } });
  return { close: () => runner.stop() };
};
