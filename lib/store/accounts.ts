import mongoose from 'mongoose';
import type { AccountStore } from '../ports.ts';
import type { Call } from './connection.ts';
import { native } from './models.ts';
import { isDuplicate } from './unavailable.ts';

export const accountStore = (call: Call): AccountStore => ({
  create: (username, passwordHash) =>
    call(async ({ accounts }) => {
      const _id = new mongoose.Types.ObjectId();
      try {
        await native(accounts).insertOne({ _id, username, name: username.toLowerCase(), passwordHash });
        return _id.toHexString();
      } catch (error) {
        if (isDuplicate(error)) return undefined;
        throw error;
      }
    }),

  findByUsername: (username) =>
    call(async ({ accounts }) => {
      const found = await accounts.findOne({ name: username.toLowerCase() }).lean();
      return found
        ? { userId: found._id.toHexString(), username: found.username, passwordHash: found.passwordHash }
        : undefined;
    }),
});
