import type mongoose from 'mongoose';
import type { Model } from 'mongoose';
import { native } from './native.ts';
import type { Shared } from './share-statements.ts';
import { refusedIn } from './unavailable.ts';

/** Answers for the documents that were inserted; each of the others has to be inserted alone, and is told then why it is refused. */
export const insertTogether = async <Document extends { _id: unknown }, R>(
  model: Model<Document>,
  documents: NoInfer<Document>[],
  inserted: R,
): Promise<Shared<R>[]> => {
  let refused: number[] = [];
  try {
    await native(model).insertMany(documents as mongoose.mongo.OptionalUnlessRequiredId<Document>[], {
      ordered: false,
    });
  } catch (error) {
    refused = refusedIn(error);
    if (refused.length === 0) throw error;
  }
  return documents.map((_, index) => (refused.includes(index) ? undefined : { answer: inserted }));
};
