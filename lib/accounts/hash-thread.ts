/**
 * What a worker thread does with passwords. bcrypt in JavaScript keeps its thread busy for the whole hash, so no function runs it
 * in the thread that answers calls.
 */
import { setPriority } from 'node:os';
import bcrypt from 'bcryptjs';

/** Calls go first. Not lower: where other processes take all cores, a login would get hardly any time. */
const niceness = 10;

/** On Linux the priority is that of the calling thread alone; elsewhere it is that of the whole process. */
const yieldToOtherThreads = (): void => {
  if (process.platform !== 'linux') return;
  try {
    setPriority(niceness);
  } catch {
    // A sandbox may forbid it. Then hashes compete with calls for the processor.
  }
};
yieldToOtherThreads();

/** A well-formed bcrypt hash of this cost. No known password has it. */
const hashOfNobody = (cost: number): string => `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`;

export const hash = ({ password, cost }: { password: string; cost: number }): string => bcrypt.hashSync(password, cost);

/**
 * Whether the password has this hash. Without a hash, as for an unknown user, it never has. The time of a refusal does not reveal
 * which: for an unknown user, and for a hash of a lower cost, it is that of a hash of this cost.
 */
export const verify = (given: { password: string; passwordHash?: string; cost: number }): boolean => {
  const { password, passwordHash, cost } = given;
  if (passwordHash === undefined) {
    bcrypt.compareSync(password, hashOfNobody(cost));
    return false;
  }
  if (bcrypt.compareSync(password, passwordHash)) return true;
  // Each step of the cost doubles the time, so these take the time that the hash saved.
  for (let missing = bcrypt.getRounds(passwordHash); missing < cost; missing += 1) {
    bcrypt.compareSync(password, hashOfNobody(missing));
  }
  return false;
};

let commonPasswords: Promise<Set<string>> | undefined;

const loadCommonPasswords = async (): Promise<Set<string>> => {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  return new Set(dictionary['passwords-common'].map((password) => password.toLowerCase()));
};

/** Whether the password is one of the 49,000 that are chosen most. Case does not matter. */
export const isCommon = async ({ password }: { password: string }): Promise<boolean> => {
  // Loaded here, and by the first registration, because unpacking the list takes about 60 ms.
  commonPasswords ??= loadCommonPasswords();
  return (await commonPasswords).has(password.toLowerCase());
};
