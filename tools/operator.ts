/** `npm run operator -- NAME [--revoke]`: gives an account the operator role, or takes it away. Also runs in the image. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { env, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { loadConfig } from '../lib/config.ts';
import { resolveSecrets } from '../lib/secrets.ts';
import { openStores } from '../lib/store/stores.ts';
import { root, runTool } from './run-tool.ts';

/** The MongoDB that this checkout chose, if any. */
const chosenUrl = (): string | undefined => {
  try {
    const chosen = readFileSync(join(root, '.data', 'services.json'), 'utf8');
    return JSON.parse(chosen).mongodb.url;
  } catch {
    return undefined;
  }
};

await runTool(async () => {
  const { values, positionals } = parseArgs({ options: { revoke: { type: 'boolean' } }, allowPositionals: true });
  const [name, ...more] = positionals;
  if (!name || more.length > 0) throw new Error('Usage: npm run operator -- NAME [--revoke]');
  const given = await resolveSecrets(env, 'consumer');
  const stores = openStores(loadConfig({ ...given, MONGODB_URL: given.MONGODB_URL || chosenUrl() }, 'consumer'));
  try {
    const found = await stores.accounts.setRole(name, values.revoke ? 'user' : 'operator');
    if (!found) throw new Error(`There is no account ${name}. Register it first.`);
    stdout.write(`${name} ${values.revoke ? 'is no longer an operator' : 'is an operator now'}\n`);
  } finally {
    await stores.close();
  }
});
