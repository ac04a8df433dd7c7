import mongoose from 'mongoose';
import type { Account, AccountStore } from '../ports.ts';
import type { Call } from './connection.ts';
import { type AccountDocument, insertIfAbsent } from './models.ts';

const toAccount = (found: AccountDocument | null): Account | undefined =>
  found
    ? {
        userId: found._id.toHexString(),
        username: found.username,
        passwordHash: found.passwordHash,
        role: found.role ?? 'user',
      }
    : undefined;

export const accountStore = (call: Call): AccountStore => ({
  create: (username, passwordHash) =>
    call(async ({ accounts }) => {
      const _id = new mongoose.Types.ObjectId();
      const account = { _id, username, name: username.toLowerCase(), passwordHash, role: 'user' as const };
      return (await insertIfAbsent(accounts, account)) ? _id.toHexString() : undefined;
    }),

  findByUsername: (username) =>
    call(async ({ accounts }) => toAccount(await accounts.findOne({ name: username.toLowerCase() }).lean())),

  find: (userId) =>
    call(async ({ accounts }) =>
      mongoose.isValidObjectId(userId) ? toAccount(await accounts.findOne({ _id: userId }).lean()) : undefined,
    ),

  setRole: (username, role) =>
    call(async ({ accounts }) => {
      const { matchedCount } = await accounts.updateOne({ name: username.toLowerCase() }, { $set: { role } });
      return matchedCount === 1;
    }),
});
