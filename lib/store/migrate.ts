/** Creates the indexes that are missing, on a connection that waits for as long as it takes. */
import mongoose from 'mongoose';
import { checkMongodbUrl, mongooseOptions } from './client-options.ts';
import { missingFeatures } from './features.ts';
import { compareIndexes, type IndexConflict, type NeededIndex, type ObsoleteIndex, titleOf } from './indexes.ts';
import { defineModels, type Models } from './models.ts';
import { isDuplicate } from './unavailable.ts';

/** For MongoDB, 0 is no limit. */
const noLimit = 0;

/** `created`: names. `obsolete`: texts about the indexes that only earlier versions need, with how to drop each. */
export type Migrated = { created: string[]; obsolete: string[] };

/** Thrown when an index cannot be created because of what the database has. The message says what to do. */
export class MigrationError extends Error {}

const describe = ({ index, found }: IndexConflict): string =>
  `The index ${index.name} of the collection ${index.collection} is not the one that this version needs.\n` +
  `  found:  ${found}\n  needed: ${JSON.stringify({ key: index.key, ...index.options })}\n` +
  `  Look whether anything else uses it. If not, drop it: db.${index.collection}.dropIndex('${index.name}')`;

/** Not dropped here: a process of the version before may still read it, and MongoDB would scan the collection instead. */
const describeObsolete = (index: ObsoleteIndex): string =>
  `the index ${titleOf(index)} is obsolete: when no process of an older version runs, drop it: ` +
  `db.${index.collection}.dropIndex('${index.name}')`;

const create = async (models: Models, index: NeededIndex): Promise<void> => {
  const { collection, key, name, options } = index;
  try {
    await models[collection].collection.createIndex(key, { ...options, name });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const advice = isDuplicate(error)
      ? 'Two documents have the same values. Remove one of them.'
      : 'The database has an index that excludes it: drop that one, if nothing else uses it. Or it does not know such indexes.';
    if (!(error instanceof mongoose.mongo.MongoServerError)) throw error;
    throw new MigrationError(`The index ${titleOf(index)} could not be created: ${reason}\n  ${advice}`, {
      cause: error,
    });
  }
};

/**
 * Creates what is missing, unique indexes first, and drops nothing. It is safe to repeat and to run in several processes. MongoDB
 * serves all calls while it builds an index.
 *
 * @param which leaves indexes out.
 * @throws {MigrationError} when indexes are in the way; the others have been created.
 */
export const createMissing = async (
  models: Models,
  which: (index: NeededIndex) => boolean = () => true,
): Promise<Migrated> => {
  const { missing, conflicts, obsolete } = await compareIndexes(models);
  const wanted = missing.filter(which).sort((a, b) => Number(b.unique) - Number(a.unique));
  for (const index of wanted) await create(models, index);
  const inTheWay = conflicts.filter(({ index }) => which(index));
  if (inTheWay.length > 0) {
    throw new MigrationError(`${inTheWay.map(describe).join('\n')}\nThen run lanekeeper migrate again.`);
  }
  return { created: wanted.map(titleOf), obsolete: obsolete.map(describeObsolete) };
};

const requireFeatures = async (models: Models): Promise<void> => {
  const missing = await missingFeatures(models);
  if (missing.length === 0) return;
  throw new MigrationError(
    `This database lacks what Lanekeeper needs:\n${missing.map((one) => `  - ${one}\n`).join('')}` +
      'Use MongoDB 7 or later as a replica set, or MongoDB Atlas. Amazon DocumentDB and a single mongod are not enough.',
  );
};

/** The same on a connection of its own, which has no timeout for an answer: a large ledger takes minutes. */
export const migrate = async (
  config: Parameters<typeof checkMongodbUrl>[0],
  which?: (index: NeededIndex) => boolean,
): Promise<Migrated> => {
  const { url, options } = checkMongodbUrl(config);
  const connection = mongoose.createConnection();
  try {
    await connection.openUri(url, { ...options, ...mongooseOptions, minPoolSize: 0, socketTimeoutMS: 0 });
    const models = defineModels(connection, noLimit);
    await requireFeatures(models);
    return await createMissing(models, which);
  } finally {
    await connection.close(true);
  }
};
