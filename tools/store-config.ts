/** The configuration of a command that uses MongoDB alone. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cwd, env } from 'node:process';
import { type Config, loadConfig } from '../lib/config.ts';
import { resolveSecrets } from '../lib/secrets.ts';

/** The MongoDB that an earlier command of this folder chose, if any. */
const chosenMongodbUrl = (): string | undefined => {
  try {
    const chosen = readFileSync(join(cwd(), '.data', 'services.json'), 'utf8');
    return JSON.parse(chosen).mongodb.url;
  } catch {
    return undefined;
  }
};

/** What the environment says. Without `MONGODB_URL`, the MongoDB that an earlier command of this folder chose. @throws {ConfigError} */
export const loadStoreConfig = async (): Promise<Config> => {
  const given = await resolveSecrets(env, 'consumer');
  return loadConfig({ ...given, MONGODB_URL: given.MONGODB_URL || chosenMongodbUrl() }, 'consumer');
};
