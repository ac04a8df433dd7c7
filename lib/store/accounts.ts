import mongoose from 'mongoose';
import type { Account, AccountStore } from '../ports.ts';
import type { Execute } from './connection.ts';
import type { AccountDocument } from './models.ts';
import { insertIfAbsent } from './native.ts';

const toAccount = (found: AccountDocument | null): Account | undefined =>
  found
    ? {
        userId: found._id.toHexString(),
        username: found.username,
        passwordHash: found.passwordHash,
        role: found.role ?? 'user',
      }
    : undefined;

const objectIds = (userIds: string[]): string[] => userIds.filter((userId) => mongoose.isValidObjectId(userId));

export const accountStore = (execute: Execute): AccountStore => ({
  create: (username, passwordHash) =>
    execute(async ({ accounts }) => {
      const _id = new mongoose.Types.ObjectId();
      const account = { _id, username, name: username.toLowerCase(), passwordHash, role: 'user' as const };
      return (await insertIfAbsent(accounts, account)) ? _id.toHexString() : undefined;
    }, 'accounts.name_1'),

  findByUsername: (username) =>
    execute(async ({ accounts }) => toAccount(await accounts.findOne({ name: username.toLowerCase() }).lean())),

  find: (userId) =>
    execute(async ({ accounts }) =>
      mongoose.isValidObjectId(userId) ? toAccount(await accounts.findOne({ _id: userId }).lean()) : undefined,
    ),

  usernames: (userIds) =>
    execute(async ({ accounts }) => {
      const found = await accounts.find({ _id: { $in: objectIds(userIds) } }, { username: 1 }).lean();
      return new Map(found.map(({ _id, username }) => [_id.toHexString(), username]));
    }),

  operators: (userIds) =>
    execute(async ({ accounts }) => {
      const found = await accounts.find({ _id: { $in: objectIds(userIds) } }, { role: 1 }).lean();
      return new Set(found.flatMap(({ _id, role }) => (role === 'operator' ? _id.toHexString() : [])));
    }),

  replacePasswordHash: (userId, from, to) =>
    execute(async ({ accounts }) => {
      const { matchedCount } = await accounts.updateOne(
        { _id: userId, passwordHash: from },
        { $set: { passwordHash: to } },
      );
      return matchedCount === 1;
    }),

  setRole: (username, role) =>
    execute(async ({ accounts }) => {
      const { matchedCount } = await accounts.updateOne({ name: username.toLowerCase() }, { $set: { role } });
      return matchedCount === 1;
    }),
});
