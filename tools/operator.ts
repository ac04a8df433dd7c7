/** `npm run operator -- NAME [--revoke]`: gives an account the operator role, or takes it away. Also runs in the image. */
import { env, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { loadConfig } from '../lib/config.ts';
import { openStores } from '../lib/store/stores.ts';
import { chosenMongodbUrl, runTool } from './run-tool.ts';

await runTool(async () => {
  const { values, positionals } = parseArgs({ options: { revoke: { type: 'boolean' } }, allowPositionals: true });
  const [name, ...more] = positionals;
  if (!name || more.length > 0) throw new Error('Usage: npm run operator -- NAME [--revoke]');
  const stores = openStores(loadConfig({ ...env, MONGODB_URL: env.MONGODB_URL || chosenMongodbUrl() }, 'consumer'));
  try {
    const found = await stores.accounts.setRole(name, values.revoke ? 'user' : 'operator');
    if (!found) throw new Error(`There is no account ${name}. Register it first.`);
    stdout.write(`${name} ${values.revoke ? 'is no longer an operator' : 'is an operator now'}\n`);
  } finally {
    await stores.close();
  }
});
