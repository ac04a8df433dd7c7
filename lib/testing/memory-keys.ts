/** API keys in the stand-in for MongoDB. */
import { clockToleranceMs } from '../database-clock.ts';
import { keyUseMs } from '../limits.ts';
import type { ApiKey, KeyStore } from '../ports.ts';
import type { MemoryDatabase, Step } from './memory-stores.ts';

export type MemoryKey = ApiKey & { rateAt?: number };

const shown = ({ rateAt: _, ...key }: MemoryKey): ApiKey => structuredClone(key);

export const memoryKeyStore = ({ apiKeys }: Pick<MemoryDatabase, 'apiKeys'>, step: Step): KeyStore => ({
  create: (key) =>
    step('apiKeys.create', () => {
      if (apiKeys.has(key.id) || [...apiKeys.values()].some(({ name }) => name === key.name)) return false;
      apiKeys.set(key.id, structuredClone(key));
      return true;
    }),
  find: (id) =>
    step('apiKeys.find', () => {
      const found = apiKeys.get(id);
      return found && shown(found);
    }),
  list: () => step('apiKeys.list', () => [...apiKeys.values()].map(shown).sort((a, b) => (a.name < b.name ? -1 : 1))),
  revoke: (idOrName) =>
    step('apiKeys.revoke', () => {
      const found = [...apiKeys.values()].find(({ id, name }) => id === idOrName || name === idOrName);
      if (found) apiKeys.delete(found.id);
      return found && shown(found);
    }),
  noteUse: (id, now) =>
    step('apiKeys.noteUse', () => {
      const found = apiKeys.get(id);
      if (!found || (found.lastUsedAt && now.getTime() - found.lastUsedAt.getTime() < keyUseMs)) return;
      found.lastUsedAt = new Date(now);
    }),
  takeCall: (id, ratePerSecond, at) =>
    step('apiKeys.takeCall', () => {
      const found = apiKeys.get(id);
      if (!found) return undefined;
      const now = at.getTime();
      const everyMs = 1_000 / ratePerSecond;
      const stored = found.rateAt ?? 0;
      const rateAt = stored > now + 1_000 + clockToleranceMs ? 0 : stored;
      const waitMs = rateAt - (now + 1_000 - everyMs);
      found.lastUsedAt = new Date(at);
      if (waitMs > 0) return waitMs;
      found.rateAt = Math.max(rateAt, now) + everyMs;
      return 0;
    }),
});
