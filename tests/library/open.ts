/** The library on the servers of the tests, with short times and names of its own. */
import { connect } from 'amqplib';
import { createLanekeeper, type Lanekeeper, type LanekeeperOptions } from '../../lib/index.ts';
import { openStores } from '../../lib/store/stores.ts';
import { mongodbUrl, rabbitmqUrl, testConfig, uniqueName } from '../support/servers.ts';

export const testOptions = (more: LanekeeperOptions = {}) => {
  const name = uniqueName('lib');
  return {
    mongodbUrl: mongodbUrl(name),
    rabbitmqUrl: rabbitmqUrl(),
    queuePrefix: `${name}.`,
    lanes: 4,
    autoMigrate: 1,
    retryBaseMs: 5,
    retryMaxMs: 50,
    graceMs: 2_000,
    flushMs: 50,
    sweepMs: 300,
    balanceMs: 300,
    stuckAfterMs: 1_000,
    logger: false as const,
    ...more,
  };
};

export type TestOptions = ReturnType<typeof testOptions>;

/** The environment of a process that works on the same servers, with the same names. */
export const environmentOf = ({ mongodbUrl, rabbitmqUrl, queuePrefix }: TestOptions) => ({
  ...process.env,
  MONGODB_URL: mongodbUrl,
  RABBITMQ_URL: rabbitmqUrl,
  QUEUE_PREFIX: queuePrefix,
  AUTO_MIGRATE: '1',
});

/** Deletes what the library leaves on the servers. */
export const cleanUp = async (options: TestOptions): Promise<void> => {
  const stores = openStores(testConfig({ mongodbUrl: options.mongodbUrl }));
  await stores.drop();
  await stores.close();
  const admin = await connect(options.rabbitmqUrl);
  const channel = await admin.createChannel();
  for (let lane = 0; lane < options.lanes; lane += 1) await channel.deleteQueue(`${options.queuePrefix}lane.${lane}`);
  await admin.close();
};

export const openLibrary = async (
  more: LanekeeperOptions = {},
): Promise<{ lk: Lanekeeper; options: TestOptions } & AsyncDisposable> => {
  const options = testOptions(more);
  const lk = await createLanekeeper(options);
  return {
    lk,
    options,
    async [Symbol.asyncDispose]() {
      await lk.close();
      await cleanUp(options);
    },
  };
};
