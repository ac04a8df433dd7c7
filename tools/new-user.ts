/** A new user of the HTTP API, for the demo, the benchmark and tests. */
import { randomUUID } from 'node:crypto';
import { connect, type LanekeeperClient, register } from '../client/index.ts';

/** Registers with a password that nobody needs to know, and logs in. */
export const connectNewUser = async (apiUrl: string, username: string): Promise<LanekeeperClient> => {
  const account = { username, password: randomUUID() };
  await register(apiUrl, account);
  return connect(apiUrl, account);
};
