import mongoose from 'mongoose';
import type { AccountStore } from '../ports.ts';
import type { Call } from './connection.ts';
import { insertIfAbsent } from './models.ts';

export const accountStore = (call: Call): AccountStore => ({
  create: (username, passwordHash) =>
    call(async ({ accounts }) => {
      const _id = new mongoose.Types.ObjectId();
      const account = { _id, username, name: username.toLowerCase(), passwordHash };
      return (await insertIfAbsent(accounts, account)) ? _id.toHexString() : undefined;
    }),

  findByUsername: (username) =>
    call(async ({ accounts }) => {
      const found = await accounts.findOne({ name: username.toLowerCase() }).lean();
      return found
        ? { userId: found._id.toHexString(), username: found.username, passwordHash: found.passwordHash }
        : undefined;
    }),
});
