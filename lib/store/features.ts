/** Whether the database can do what the ledger is built on. Servers that only speak MongoDB's protocol often cannot. */
import mongoose from 'mongoose';
import type { Models } from './models.ts';
import { native } from './native.ts';

/** No user has it, so that nothing changes. A server reads an update before it looks for documents. */
const nobody = { _id: 'feature-check' };
const pipeline = [{ $set: { tickets: { $slice: [{ $concatArrays: [{ $ifNull: ['$tickets', []] }, [1]] }, -1] } } }];

type Probe = [feature: string, attempt: () => Promise<unknown>];

const retryableWrites = (models: Models): Probe => [
  'retryable writes, which a replica set has',
  () => native(models.userQueues).updateOne(nobody, { $set: { state: 'open' } }),
];

const pipelines = (models: Models): Probe[] => [
  [
    'updates with an aggregation pipeline in a bulk',
    () =>
      native(models.userQueues).bulkWrite([{ updateOne: { filter: nobody, update: pipeline } }], { ordered: false }),
  ],
  [
    'findAndModify with an aggregation pipeline that returns the document after it',
    () => native(models.userQueues).findOneAndUpdate(nobody, pipeline, { returnDocument: 'after' }),
  ],
];

const refusalOf = ([feature, attempt]: Probe): Promise<string | undefined> =>
  attempt().then(
    () => undefined,
    (error) => {
      if (!(error instanceof mongoose.mongo.MongoServerError)) throw error;
      return `${feature}: ${error.message}`;
    },
  );

/** What the database lacks, each with its own reason. Without retryable writes it refuses every write, and nothing else is tried. */
export const missingFeatures = async (models: Models): Promise<string[]> => {
  const refused = await refusalOf(retryableWrites(models));
  if (refused) return [refused];
  const refusals = await Promise.all(pipelines(models).map(refusalOf));
  return refusals.filter((refusal) => refusal !== undefined);
};
