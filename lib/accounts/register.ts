import { createHash, timingSafeEqual } from 'node:crypto';
import type { Deps } from '../deps.ts';
import { laneOf } from '../lane-of.ts';
import { siteOf } from '../network.ts';
import { InvalidInviteError, RegistrationClosedError, UsernameTakenError, WeakPasswordError } from './errors.ts';
import { limitAddress } from './throttle.ts';

export type Credentials = { username: string; password: string };

type AccountDeps = Pick<Deps, 'accounts' | 'passwords' | 'userQueues' | 'clock'> & {
  config: Pick<Deps['config'], 'lanes'>;
};
export type RegisterDeps = AccountDeps &
  Pick<Deps, 'counters'> & {
    config: Pick<Deps['config'], 'inviteSecret' | 'registration' | 'registrationsPerHour'>;
  };

/**
 * Creates an account for a caller from outside.
 *
 * @param address the caller's IP address.
 * @throws {WeakPasswordError} 400; {RegistrationClosedError} {InvalidInviteError} 403; {UsernameTakenError} 409;
 *   {AddressLimitError} 429; {BusyError} 503
 */
export const registerAccount = async (
  { invite, ...credentials }: Credentials & { invite?: string },
  address: string,
  deps: RegisterDeps,
): Promise<{ userId: string; username: string }> => {
  const { registration, registrationsPerHour: limit, inviteSecret } = deps.config;
  // Before the invite, or nothing would bound how often one can be guessed.
  await limitAddress('registrations', address, { limit, seconds: 3_600 }, deps);
  if (registration === 'closed') throw new RegistrationClosedError();
  if (registration === 'invite' && !isSame(invite, inviteSecret)) throw new InvalidInviteError();
  return createAccount(credentials, deps, siteOf(address));
};

/** Compares digests, because their lengths are the same whatever was sent. */
const isSame = (given: string | undefined, secret: string | undefined): boolean => {
  if (given === undefined || secret === undefined) return false;
  const [one, other] = [given, secret].map((text) => createHash('sha256').update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
};

/**
 * Creates an account and its user queue. If the process dies in between, the first login creates the user queue.
 *
 * @param site the caller's site, for its turn. Absent when an operator creates the account.
 * @throws {WeakPasswordError} 400; {UsernameTakenError} 409; {BusyError} 503
 */
export const createAccount = async (
  { username, password }: Credentials,
  { accounts, passwords, userQueues, clock, config }: AccountDeps,
  site = 'operator',
): Promise<{ userId: string; username: string }> => {
  if (password.toLowerCase() === username.toLowerCase()) throw new WeakPasswordError('The password is the user name.');
  const userId = await passwords.admit(site, async () => {
    if (await passwords.isCommon(password)) throw new WeakPasswordError('The password is one of the most common ones.');
    return accounts.create(username, await passwords.hash(password));
  });
  if (userId === undefined) throw new UsernameTakenError();
  await userQueues.create(userId, laneOf(userId, config.lanes), clock.now(), username);
  return { userId, username };
};
