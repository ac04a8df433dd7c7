import { keyUseMs } from '../limits.ts';
import type { ApiKey, KeyStore } from '../ports.ts';
import type { Execute } from './connection.ts';
import type { KeyDocument } from './key-documents.ts';
import { insertIfAbsent, native } from './native.ts';
import { or0, rateOf } from './rate.ts';

const toKey = ({ _id, rateAt: _, refused: __, ...key }: KeyDocument): ApiKey => ({ id: _id, ...key });

/** As a pipeline, because a refusal must not move `rateAt`. */
const callUpdate = (ratePerSecond: number, now: Date) => {
  const { everyMs, limitMs, rateAt } = rateOf({ ratePerSecond }, now.getTime());
  const next = { $add: [{ $max: [rateAt, now.getTime()] }, everyMs] };
  return [
    { $set: { refused: { $gt: [rateAt, limitMs] }, lastUsedAt: now } },
    { $set: { rateAt: { $cond: ['$refused', or0('$rateAt'), next] } } },
  ];
};

export const keyStore = (execute: Execute): KeyStore => ({
  create: ({ id, ...key }) => execute(({ apiKeys }) => insertIfAbsent(apiKeys, { _id: id, ...key }), 'apiKeys.name_1'),

  find: (id) =>
    execute(async ({ apiKeys }) => {
      const found = await apiKeys.findOne({ _id: id }).lean();
      return found ? toKey(found) : undefined;
    }),

  list: () => execute(async ({ apiKeys }) => (await apiKeys.find().sort({ name: 1 }).lean()).map(toKey)),

  revoke: (idOrName) =>
    execute(async ({ apiKeys }) => {
      const found = await apiKeys.findOne({ $or: [{ _id: idOrName }, { name: idOrName }] }).lean();
      if (!found) return undefined;
      const { deletedCount } = await apiKeys.deleteOne({ _id: found._id });
      return deletedCount === 1 ? toKey(found) : undefined;
    }),

  noteUse: (id, now) =>
    execute(async ({ apiKeys }) => {
      const before = new Date(now.getTime() - keyUseMs);
      const isDue = { $or: [{ lastUsedAt: { $exists: false } }, { lastUsedAt: { $lte: before } }] };
      await native(apiKeys).updateOne({ _id: id, ...isDue }, { $set: { lastUsedAt: now } });
    }),

  takeCall: (id, ratePerSecond, now) =>
    execute(async ({ apiKeys }) => {
      const update = callUpdate(ratePerSecond, now);
      const projection = { refused: 1, rateAt: 1 } as const;
      const options = { returnDocument: 'after', projection } as const;
      const after = await native(apiKeys).findOneAndUpdate({ _id: id }, update, options);
      if (!after) return undefined;
      return after.refused ? (after.rateAt ?? 0) - rateOf({ ratePerSecond }, now.getTime()).limitMs : 0;
    }),
});
