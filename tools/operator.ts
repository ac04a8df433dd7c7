/**
 * `npm run operator -- NAME [--create | --revoke]`: gives an account the operator role, takes it away, or creates an account, also
 * when registration is closed. Also runs in the image.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { env, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { createPasswords } from '../lib/accounts/passwords.ts';
import { createAccount } from '../lib/accounts/register.ts';
import { type Config, loadConfig } from '../lib/config.ts';
import { newCredentials, validate } from '../lib/http/input.ts';
import type { Role } from '../lib/ports.ts';
import { resolveSecrets } from '../lib/secrets.ts';
import { openStores, type Stores } from '../lib/store/stores.ts';
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
  const given = await resolveSecrets(env, 'consumer');
  const config = loadConfig({ ...given, MONGODB_URL: given.MONGODB_URL || chosenUrl() }, 'consumer');
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
