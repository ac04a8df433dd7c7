/** Connections as documents of the `connections` collection. */
import mongoose from 'mongoose';
import type { Connection } from '../connection.ts';
import type { SubscribedConnection } from '../ports.ts';
import { schemaOptions } from './schema-options.ts';

export type ConnectionDocument = Omit<Connection, 'id'> & {
  _id: string;
  subscription?: SubscribedConnection['subscription'];
};

/** One that nobody has told the end of expires with its token. */
export const connectionSchema = new mongoose.Schema<ConnectionDocument>(
  { _id: String, userId: String, lane: Number, login: String, watcher: Object, endsAt: Date, subscription: Object },
  schemaOptions,
)
  .index({ endsAt: 1 }, { expireAfterSeconds: 0 })
  .index({ lane: 1 }, { partialFilterExpression: { subscription: { $exists: true } } });
