/** Writes and reads past mongoose, through the driver's own collections. */
import type mongoose from 'mongoose';
import type { Model } from 'mongoose';
import { isDuplicate, isElection } from './unavailable.ts';

/** The driver's own collection, for hot paths: mongoose would cast every field of every update again. */
export const native = <Document extends { _id: unknown }>(model: Model<Document>) => {
  const collection = model.collection as unknown as mongoose.mongo.Collection<Document>;
  const limit = { maxTimeMS: model.db.get('maxTimeMS') };
  return {
    insertOne: (document: mongoose.mongo.OptionalUnlessRequiredId<Document>) => collection.insertOne(document, limit),
    insertMany: (
      documents: mongoose.mongo.OptionalUnlessRequiredId<Document>[],
      options: mongoose.mongo.BulkWriteOptions,
    ) => collection.insertMany(documents, { ...options, ...limit }),
    find: (filter: mongoose.mongo.Filter<Document>, options: mongoose.mongo.FindOptions = {}) =>
      collection.find(filter, { ...options, ...limit }).toArray() as Promise<Document[]>,
    updateOne: (filter: mongoose.mongo.Filter<Document>, update: mongoose.mongo.UpdateFilter<Document>) =>
      collection.updateOne(filter, update, limit),
    findOneAndUpdate: (
      filter: mongoose.mongo.Filter<Document>,
      update: mongoose.mongo.UpdateFilter<Document> | mongoose.mongo.Document[],
      options: mongoose.mongo.FindOneAndUpdateOptions,
    ) => collection.findOneAndUpdate(filter, update, { ...options, ...limit, includeResultMetadata: false }),
    bulkWrite: (updates: mongoose.mongo.AnyBulkWriteOperation<Document>[], options: { ordered?: boolean } = {}) =>
      collection.bulkWrite(updates, { ...options, ...limit }),
    /** Updates that may be made twice. The driver sends an update of many documents once, even when another server is elected meanwhile. */
    updateTwice: async (updates: mongoose.mongo.AnyBulkWriteOperation<Document>[]) => {
      const send = () => collection.bulkWrite(updates, { ordered: false, ...limit });
      return send().catch((error) => {
        if (!isElection(error)) throw error;
        return send();
      });
    },
  };
};

/** Returns whether the document was inserted; false when one of its unique values is taken. */
export const insertIfAbsent = async <Document extends { _id: unknown }>(
  model: Model<Document>,
  document: NoInfer<Document>,
): Promise<boolean> => {
  try {
    await native(model).insertOne(document as mongoose.mongo.OptionalUnlessRequiredId<Document>);
    return true;
  } catch (error) {
    if (isDuplicate(error)) return false;
    throw error;
  }
};
