import bcrypt from 'bcryptjs';
import type { Deps } from '../deps.ts';
import { laneOf } from '../lane-of.ts';
import { UsernameTakenError } from './errors.ts';

export type Credentials = { username: string; password: string };

export type RegisterDeps = Pick<Deps, 'accounts' | 'userQueues' | 'clock'> & {
  config: Pick<Deps['config'], 'bcryptCost' | 'lanes'>;
};

/**
 * Creates an account and its user queue. If the process dies in between, the first login creates the user queue.
 *
 * @throws {UsernameTakenError} 409
 */
export const registerAccount = async (
  { username, password }: Credentials,
  { accounts, userQueues, clock, config }: RegisterDeps,
): Promise<{ userId: string; username: string }> => {
  const userId = await accounts.create(username, await bcrypt.hash(password, config.bcryptCost));
  if (userId === undefined) throw new UsernameTakenError();
  await userQueues.create(userId, laneOf(userId, config.lanes), clock.now());
  return { userId, username };
};
