/** Hashes passwords in worker threads. How many calls may hash or wait for it is bounded. */
import bcrypt from 'bcryptjs';
import type { Config } from '../config.ts';
import type { Passwords } from '../deps.ts';
import { fileBeside } from '../file-beside.ts';
import { createThreadPool } from '../thread-pool.ts';
import { createAdmission } from './admission.ts';

/** Then the caller had better try again. As long as a function may run on AWS Lambda. */
const maxWaitMs = 10_000;

/** Threads start at the first hash. `close` ends them, and the hashes under way reject. */
export const createPasswords = ({
  bcryptCost: cost,
  hashThreads,
  maxWaitingHashes,
}: Pick<Config, 'bcryptCost' | 'hashThreads' | 'maxWaitingHashes'>): Passwords => {
  const pool = createThreadPool(fileBeside(import.meta.url, 'hash-thread'), hashThreads);
  return {
    // Twice the threads: some read the store while others hash. Those that wait have not touched the store, which a storm
    // would otherwise reach at once.
    admit: createAdmission({ atOnce: 2 * hashThreads, maxWaiting: maxWaitingHashes, maxWaitMs }),
    hash: (password) => pool.run({ password, cost }, { name: 'hash' }),
    verify: (password, passwordHash) => pool.run({ password, passwordHash, cost }, { name: 'verify' }),
    isCommon: (password) => pool.run({ password }, { name: 'isCommon' }),
    isOutdated: (passwordHash) => bcrypt.getRounds(passwordHash) !== cost,
    close: () => pool.destroy(),
  };
};
