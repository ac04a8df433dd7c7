/** API keys: what a back end calls with, in the place of a session. The store has only the hash of each key's secret part. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Deps } from '../deps.ts';
import { keyUseMs } from '../limits.ts';
import type { ApiKey } from '../ports.ts';
import { InvalidKeyError, KeyRateError } from './errors.ts';

const prefix = 'lk_';
const idBytes = 6;
/** 256 bits: nobody guesses that, so a plain hash protects it as well as a slow one would. */
const secretBytes = 32;
const form = new RegExp(`^${prefix}([0-9a-f]{${2 * idBytes}})_([0-9a-f]{${2 * secretBytes}})$`);

const digestOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

const digestOfNobody = Buffer.alloc(digestOf('').length);

/** Whether a credential claims to be an API key. Tokens never do. */
export const isApiKey = (credential: string): boolean => credential.startsWith(prefix);

export type NewApiKey = Pick<ApiKey, 'name' | 'scopes' | 'expiresAt' | 'ratePerSecond'>;

/** Creates a key; `undefined` when its name is taken. `secret` is the whole key, which nothing can show again. */
export const createApiKey = async (
  wanted: NewApiKey,
  { apiKeys, clock }: Pick<Deps, 'apiKeys' | 'clock'>,
): Promise<{ key: ApiKey; secret: string } | undefined> => {
  const id = randomBytes(idBytes).toString('hex');
  const secretPart = randomBytes(secretBytes).toString('hex');
  const key = { ...wanted, id, hash: digestOf(secretPart).toString('hex'), createdAt: clock.now() };
  return (await apiKeys.create(key)) ? { key, secret: `${prefix}${id}_${secretPart}` } : undefined;
};

/**
 * The key of a call. It is read each time, so that a key that was revoked, or has expired, is refused at its next call. Counts the call
 * against the key's rate.
 *
 * @throws {InvalidKeyError} 401; {KeyRateError} 429
 */
export const verifyApiKey = async (credential: string, deps: Pick<Deps, 'apiKeys' | 'clock'>): Promise<ApiKey> => {
  const [, id, secretPart] = form.exec(credential) ?? [];
  if (id === undefined || secretPart === undefined) throw new InvalidKeyError();
  const key = await deps.apiKeys.find(id);
  const stored = key ? Buffer.from(key.hash, 'hex') : digestOfNobody;
  if (!timingSafeEqual(digestOf(secretPart), stored) || !key) throw new InvalidKeyError();
  const now = deps.clock.now();
  // Whoever knows the secret may know that.
  if (key.expiresAt && key.expiresAt <= now) throw new InvalidKeyError(key.expiresAt);
  await countCall(key, now, deps);
  return key;
};

const countCall = async (key: ApiKey, now: Date, { apiKeys }: Pick<Deps, 'apiKeys'>): Promise<void> => {
  const { id, ratePerSecond, lastUsedAt } = key;
  if (ratePerSecond === undefined) {
    if (!lastUsedAt || now.getTime() - lastUsedAt.getTime() >= keyUseMs) await apiKeys.noteUse(id, now);
    return;
  }
  const waitMs = await apiKeys.takeCall(id, ratePerSecond, now);
  if (waitMs === undefined) throw new InvalidKeyError();
  if (waitMs > 0) throw new KeyRateError(ratePerSecond, waitMs);
};
