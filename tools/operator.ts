/**
 * `npm run operator -- NAME [--create | --revoke]`: gives an account the operator role, takes it away, or creates an account, also
 * when registration is closed. Also runs in the image.
 */
import { randomBytes } from 'node:crypto';
import { stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { createPasswords } from '../lib/accounts/passwords.ts';
import { createAccount } from '../lib/accounts/register.ts';
import type { Config } from '../lib/config.ts';
import { newCredentials, validate } from '../lib/http/input.ts';
import type { Role } from '../lib/ports.ts';
import { openStores, type Stores } from '../lib/store/stores.ts';
import { runTool } from './run-tool.ts';
import { loadStoreConfig } from './store-config.ts';

const usage = 'Usage: npm run operator -- NAME [--create | --revoke]';

/** Of 144 bits. The user gets it from the operator. */
const newPassword = (): string => randomBytes(18).toString('base64url');

const create = async (username: string, stores: Stores, config: Config): Promise<string> => {
  const password = newPassword();
  const credentials = validate(newCredentials, { username, password }, 'account');
  const passwords = createPasswords(config);
  try {
    await stores.timeKnown();
    await createAccount(credentials, { ...stores, passwords, config });
  } finally {
    await passwords.close();
  }
  return `${username} has an account now, with the password ${password}`;
};

const setRole = async (name: string, role: Role, stores: Stores): Promise<string> => {
  const found = await stores.accounts.setRole(name, role);
  if (!found) throw new Error(`There is no account ${name}. Register it first, or use --create.`);
  return `${name} ${role === 'user' ? 'is no longer an operator' : 'is an operator now'}`;
};

await runTool(async () => {
  const options = { create: { type: 'boolean' }, revoke: { type: 'boolean' } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [name, ...more] = positionals;
  if (!name || more.length > 0 || (values.create && values.revoke)) throw new Error(usage);
  const config = await loadStoreConfig();
  const stores = openStores(config);
  try {
    const done = values.create
      ? await create(name, stores, config)
      : await setRole(name, values.revoke ? 'user' : 'operator', stores);
    stdout.write(`${done}\n`);
  } finally {
    await stores.close();
  }
});
