import type { Deps } from '../deps.ts';
import { laneOf } from '../lane-of.ts';
import { UsernameTakenError } from './errors.ts';

export type Credentials = { username: string; password: string };

export type RegisterDeps = Pick<Deps, 'accounts' | 'passwords' | 'userQueues' | 'clock'> & {
  config: Pick<Deps['config'], 'lanes'>;
};

/**
 * Creates an account and its user queue. If the process dies in between, the first login creates the user queue.
 *
 * @throws {UsernameTakenError} 409; {BusyError} 503
 */
export const registerAccount = async (
  { username, password }: Credentials,
  { accounts, passwords, userQueues, clock, config }: RegisterDeps,
): Promise<{ userId: string; username: string }> => {
  const userId = await passwords.admit(async () => accounts.create(username, await passwords.hash(password)));
  if (userId === undefined) throw new UsernameTakenError();
  await userQueues.create(userId, laneOf(userId, config.lanes), clock.now());
  return { userId, username };
};
