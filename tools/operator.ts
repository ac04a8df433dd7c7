/** `npm run operator -- NAME [--revoke]`: makes an account an operator's, or an ordinary one again. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process, { env, stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { loadConfig } from '../lib/config.ts';
import { openStores } from '../lib/store/stores.ts';
import type { Services } from './services/ensure.ts';

/** Where the accounts are: the caller's MongoDB, else the one that this checkout chose, else the usual one. */
const mongodbUrl = (): string | undefined => {
  if (env.MONGODB_URL) return env.MONGODB_URL;
  try {
    const chosen = readFileSync(join(import.meta.dirname, '..', '.data', 'services.json'), 'utf8');
    return (JSON.parse(chosen) as Services).mongodb.url;
  } catch {
    return undefined;
  }
};

const run = async (): Promise<void> => {
  const { values, positionals } = parseArgs({ options: { revoke: { type: 'boolean' } }, allowPositionals: true });
  const [name, ...more] = positionals;
  if (!name || more.length > 0) throw new Error('Usage: npm run operator -- NAME [--revoke]');
  const stores = openStores(loadConfig({ ...env, MONGODB_URL: mongodbUrl() }, 'consumer'));
  try {
    const found = await stores.accounts.setRole(name, values.revoke ? 'user' : 'operator');
    if (!found) throw new Error(`There is no account ${name}. Register it first.`);
    stdout.write(`${name} is ${values.revoke ? 'no operator any more' : 'an operator'}\n`);
  } finally {
    await stores.close();
  }
};

try {
  await run();
} catch (error) {
  stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
