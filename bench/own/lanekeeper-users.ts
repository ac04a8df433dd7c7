/** Users of Lanekeeper whose sessions are open, without as many calls as users: the benchmark writes their documents. */
import mongoose from 'mongoose';
import { userOf } from '../lanekeeper.ts';
import type { Place } from '../sides.ts';

/** What the benchmark uses of the measured checkout, which may be an older one. */
export type UserQueues = {
  create(userId: string, lane: number, now: Date): Promise<unknown>;
  addSession(userId: string, session: { id: string; expiresAt: Date }, lane: number, most: number): Promise<unknown>;
};

type Document = { _id: string; lane: number; sessions: { id: string; expiresAt: Date }[] };

const sessionMs = 24 * 3_600_000;
const batch = 2_000;

/** Copies the document of a user who has just logged in, so that the copies have the shape that this checkout writes. */
export const writeUsers = async (place: Place, userQueues: UserQueues, lanes: number): Promise<void> => {
  const model = 'bench-model';
  const expiresAt = new Date(Date.now() + sessionMs);
  await userQueues.create(model, 0, new Date());
  await userQueues.addSession(model, { id: model, expiresAt }, 0, 10);
  const client = await new mongoose.mongo.MongoClient(place.mongodbUrl).connect();
  try {
    const collection = client.db().collection<Document>('userQueues');
    const document = await collection.findOneAndDelete({ _id: model });
    if (!document) throw new Error('The measured checkout has not written the document of a user.');
    const copies = Array.from({ length: place.users + place.idleUsers }, (_, user) => {
      const { userId, sessionId } = userOf(user);
      return { ...document, _id: userId, lane: user % lanes, sessions: [{ id: sessionId, expiresAt }] };
    });
    for (let from = 0; from < copies.length; from += batch)
      await collection.insertMany(copies.slice(from, from + batch), { ordered: false });
  } finally {
    await client.close();
  }
};
