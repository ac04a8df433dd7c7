/**
 * `lanekeeper operator [--create] NAME`: creates an account with the operator role, also when registration is closed, or gives it to an
 * account that exists. `--create --plain` creates one without the role, and `--revoke` takes it away.
 */
import { randomBytes } from 'node:crypto';
import { stdout } from 'node:process';
import { Command, Option } from 'commander';
import type { Config } from '../../lib/config.ts';
import type { Role } from '../../lib/ports.ts';
import type { Stores } from '../../lib/store/stores.ts';
import { runTool } from '../run-tool.ts';

/** Of 144 bits. The user gets it from the operator. */
const newPassword = (): string => randomBytes(18).toString('base64url');

const create = async (username: string, stores: Stores, config: Config): Promise<string> => {
  const { createPasswords } = await import('../../lib/accounts/passwords.ts');
  const { createAccount } = await import('../../lib/accounts/register.ts');
  const { newCredentials, validate } = await import('../../lib/http/input.ts');
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

type Options = { create?: true; plain?: true; revoke?: true };

const operator = async (name: string, { create: isNew, plain, revoke }: Options): Promise<void> => {
  if (plain && !isNew) throw new Error('--plain belongs to --create. To take the role away, use --revoke.');
  const { openStores } = await import('../../lib/store/stores.ts');
  const { loadStoreConfig } = await import('../store-config.ts');
  const config = await loadStoreConfig();
  const stores = openStores(config);
  try {
    const tell = (done: string) => stdout.write(`${done}\n`);
    // The password is told even if the role cannot be given afterwards.
    if (isNew) tell(await create(name, stores, config));
    if (!plain) tell(await setRole(name, revoke ? 'user' : 'operator', stores));
  } finally {
    await stores.close();
  }
};

export const command = (): Command =>
  new Command()
    .argument('<name>', 'the user name of the account')
    .option('--create', 'create the account, with the role, and print its password')
    .option('--grant', 'give the role, which is the default')
    .addOption(new Option('--plain', 'with --create: an account without the role').conflicts('grant'))
    .addOption(new Option('--revoke', 'take the role away').conflicts(['create', 'grant', 'plain']))
    .action((name, options) => runTool(() => operator(name, options)));
