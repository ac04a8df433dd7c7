/** `JWT_SECRET` holds one secret, or several while it is being changed. */
import { createSecretKey } from 'node:crypto';
import type { TokenSecrets } from '../deps.ts';
import { minTokenSecretLength } from '../limits.ts';

/**
 * Several are separated by white space, and each is as long as a secret must be. Any other text is one secret, also with blanks in it.
 */
const secretsOf = (text: string): [string, ...string[]] => {
  const [first = '', ...others] = text.trim().split(/\s+/);
  const isLong = (secret: string) => secret.length >= minTokenSecretLength;
  return others.length > 0 && [first, ...others].every(isLong) ? [first, ...others] : [text];
};

/** Keys made once save making a key for every token. */
export const tokenKeysOf = (text: string): TokenSecrets => {
  const [first, ...others] = secretsOf(text);
  const keyOf = (secret: string) => createSecretKey(Buffer.from(secret));
  return [keyOf(first), ...others.map(keyOf)];
};

/**
 * The next value of `JWT_SECRET`: the secret that signs, the one that will sign after the next change, and the one that has signed until
 * now. A process that has not read the new value yet knows the secret that signs from now on: it was the second of the old value. So
 * processes may read it one after the other, as long as each does before the next change.
 *
 * @param fresh a new secret.
 */
export const nextTokenSecrets = (current: string, fresh: string): string => {
  const [signed, upcoming = signed] = secretsOf(current);
  return [...new Set([upcoming, fresh, signed])].join(' ');
};
