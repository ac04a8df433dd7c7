/** What the product asks of MongoDB about API keys (`lib/store/keys.ts`). Every method rejects as those of the other stores. */
import type { KeyScope } from '../key-scopes.ts';

export type ApiKey = {
  /** Public: it is a part of the key, and the log names it. */
  id: string;
  /** Unique among the keys that exist. */
  name: string;
  /** SHA-256 of the secret part, in hex. */
  hash: string;
  scopes: KeyScope[];
  createdAt: Date;
  /** Absent: it does not expire. */
  expiresAt?: Date;
  /** How many calls it may make in a second, and at once after a pause. Absent: no limit. */
  ratePerSecond?: number;
  /** May be a minute too old. Absent: it was never used. */
  lastUsedAt?: Date;
};

export interface KeyStore {
  /** Returns whether it was created; false when the name or the id is taken. */
  create(key: ApiKey): Promise<boolean>;
  find(id: string): Promise<ApiKey | undefined>;
  /** All keys, by name. */
  list(): Promise<ApiKey[]>;
  /** Removes the key with this id or this name, and returns it. */
  revoke(idOrName: string): Promise<ApiKey | undefined>;
  /** Records that the key was used. Writes nothing when that was recorded less than a minute before `now`. */
  noteUse(id: string, now: Date): Promise<void>;
  /**
   * Takes one call from what the key's rate allows, in one atomic update that also records the use. Returns 0, or in how many ms
   * the rate allows the call; `undefined` when the key is gone.
   */
  takeCall(id: string, ratePerSecond: number, now: Date): Promise<number | undefined>;
}
