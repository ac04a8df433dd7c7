/** What doctor checks in MongoDB: version, replica set, rights, clock, indexes. It changes nothing. */
import mongoose from 'mongoose';
import type { Config } from '../../lib/config.ts';
import { checkMongodbUrl, mongooseOptions } from '../../lib/store/client-options.ts';
import { compareIndexes, titleOf } from '../../lib/store/indexes.ts';
import { defineModels, type Models } from '../../lib/store/models.ts';
import { broken, type Finding, messageOf, ok, warning } from './finding.ts';

/** The oldest that gets fixes. */
const oldestMajor = 7;
/** Above what a healthy network and NTP leave. */
const clockApartMs = 1_000;

type Database = NonNullable<mongoose.Connection['db']>;

const checkServer = async (database: Database): Promise<Finding> => {
  const { version } = await database.admin().command({ buildInfo: 1 });
  const { setName } = await database.admin().command({ hello: 1 });
  if (Number.parseInt(version, 10) < oldestMajor)
    return warning('MongoDB', `version ${version}`, `Use version ${oldestMajor} or later.`);
  if (!setName) return warning('MongoDB', `version ${version}, a single server`, 'Use a replica set in production.');
  return ok('MongoDB', `version ${version}, replica set ${setName}`);
};

const checkClock = async (database: Database): Promise<Finding> => {
  const sentAt = Date.now();
  const { localTime } = await database.admin().command({ hello: 1 });
  const tripMs = Date.now() - sentAt;
  const apartMs = Math.round(sentAt + tripMs / 2 - (localTime as Date).getTime());
  const found = `${Math.abs(apartMs)} ms ${apartMs < 0 ? 'behind' : 'ahead of'} MongoDB's, within ${Math.ceil(tripMs / 2)} ms`;
  if (Math.abs(apartMs) - tripMs / 2 <= clockApartMs) return ok('clock', found);
  return warning('clock', found, 'Lanekeeper follows MongoDB’s clock; logs have the host’s. Run NTP on both hosts.');
};

/** The update and the removal match nothing. */
const checkRights = async ({ requests }: Models): Promise<Finding> => {
  const nothing = { _id: new mongoose.Types.ObjectId(), userId: '' };
  try {
    await requests.collection.findOne(nothing);
    await requests.collection.updateOne(nothing, { $set: { checked: true } });
    await requests.collection.deleteOne(nothing);
    return ok('rights in MongoDB', 'may read and write');
  } catch (error) {
    return broken(
      'rights in MongoDB',
      messageOf(error),
      'Give the account of MONGODB_URL the role readWrite on its database.',
    );
  }
};

const checkIndexes = async (models: Models, { autoMigrate }: Config): Promise<Finding> => {
  const { missing, conflicts } = await compareIndexes(models);
  const conflicting = conflicts.map(({ index }) => titleOf(index));
  if (conflicting.length > 0)
    return broken(
      'indexes',
      `other indexes are in the way: ${conflicting.join(', ')}`,
      'lanekeeper migrate says what to do.',
    );
  if (missing.length === 0) return ok('indexes', 'all are there');
  const found = `missing: ${missing.map(titleOf).join(', ')}`;
  return autoMigrate
    ? warning('indexes', found, 'The first call creates them (AUTO_MIGRATE=1); lanekeeper migrate does so now.')
    : broken('indexes', found, 'Run lanekeeper migrate.');
};

export const checkMongodb = async (config: Config): Promise<Finding[]> => {
  const connection = mongoose.createConnection();
  try {
    const { url, options } = checkMongodbUrl(config);
    await connection.openUri(url, { ...options, ...mongooseOptions, minPoolSize: 0 });
    const models = defineModels(connection, config.storeTimeoutMs);
    const database = connection.db as Database;
    const first = await checkServer(database);
    const rights = await checkRights(models);
    if (rights.status === 'broken') return [first, rights];
    return [first, rights, await checkClock(database), await checkIndexes(models, config)];
  } catch (error) {
    return [
      broken(
        'MongoDB',
        messageOf(error),
        'Start it, or correct MONGODB_URL. In development, lanekeeper services does both.',
      ),
    ];
  } finally {
    await connection.close(true);
  }
};
