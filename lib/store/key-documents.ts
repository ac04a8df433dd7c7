/** API keys as documents of the `apiKeys` collection. */
import mongoose from 'mongoose';
import type { ApiKey } from '../ports.ts';
import { schemaOptions } from './schema-options.ts';

/** `rateAt`: when the key will have its whole rate again, in ms since the epoch. */
export type KeyDocument = Omit<ApiKey, 'id'> & { _id: string; rateAt?: number; refused?: boolean };

export const keySchema = new mongoose.Schema<KeyDocument>(
  {
    _id: String,
    name: String,
    hash: String,
    scopes: [String],
    createdAt: Date,
    expiresAt: Date,
    ratePerSecond: Number,
    lastUsedAt: Date,
    rateAt: Number,
    refused: Boolean,
  },
  schemaOptions,
).index({ name: 1 }, { unique: true });
