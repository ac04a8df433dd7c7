/** `lanekeeper keys create | list | revoke`: API keys. They are made on the database: no call of the API makes keys. */
import { Command, InvalidArgumentError } from 'commander';
import { type KeyScope, keyScopes } from '../../lib/key-scopes.ts';
import type { ApiKey } from '../../lib/ports.ts';
import type { Stores } from '../../lib/store/stores.ts';
import { wholeNumber } from '../operators/calls.ts';
import { ago, inWords, printJson, printTable, say } from '../operators/print.ts';
import { runTool } from '../run-tool.ts';

type Json = { json?: true };
type CreateOptions = Json & { scopes: KeyScope[]; expires?: Span; rate?: number };
/** In ms from now. */
type Span = { ms: number };

const unitMs: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

const span = (text: string): Span => {
  const [, count, unit = ''] = /^([1-9]\d{0,5})([mhd])$/.exec(text) ?? [];
  if (!count) throw new InvalidArgumentError('It must be a number of minutes, hours or days, such as 30m, 12h or 90d.');
  return { ms: Number(count) * (unitMs[unit] ?? 0) };
};

const scopes = (text: string): KeyScope[] => {
  const given = text.split(',').map((one) => one.trim());
  const unknown = given.find((one) => !keyScopes.some((scope) => scope === one));
  if (unknown !== undefined) throw new InvalidArgumentError(`"${unknown}" is none of ${keyScopes.join(', ')}.`);
  return keyScopes.filter((scope) => given.includes(scope));
};

const keyName = (text: string): string => {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(text)) throw new InvalidArgumentError('It must be 1 to 64 of A-Z a-z 0-9 . _ -');
  // `keys revoke` takes either.
  if (/^[0-9a-f]{12}$/.test(text)) throw new InvalidArgumentError('It must not look like the id of a key.');
  return text;
};

const withStores = async (use: (stores: Stores) => Promise<void>): Promise<void> => {
  const { openStores } = await import('../../lib/store/stores.ts');
  const { loadStoreConfig } = await import('../store-config.ts');
  const stores = openStores(await loadStoreConfig());
  try {
    await stores.timeKnown();
    await use(stores);
  } finally {
    await stores.close();
  }
};

/** All that may be known of a key. */
const shown = ({ hash: _, ...key }: ApiKey) => key;

const create = (name: string, { json, expires, rate, ...options }: CreateOptions) =>
  withStores(async (stores) => {
    const { createApiKey } = await import('../../lib/accounts/api-keys.ts');
    const expiresAt = expires && new Date(stores.clock.now().getTime() + expires.ms);
    const wanted = { name, ...options, ...(expiresAt && { expiresAt }), ...(rate && { ratePerSecond: rate }) };
    const created = await createApiKey(wanted, stores);
    if (!created) throw new Error(`There is a key ${name} already. Choose another name, or revoke that key.`);
    if (json) return printJson({ ...shown(created.key), key: created.secret });
    say(created.secret);
    process.stderr.write('This is the only time that the key is shown. Keep it like a password.\n');
  });

const expiryOf = ({ expiresAt }: ApiKey, now: Date): string => {
  const ms = expiresAt && expiresAt.getTime() - now.getTime();
  if (ms === undefined) return 'never';
  return ms > 0 ? `in ${inWords(ms)}` : 'expired';
};

const list = ({ json }: Json) =>
  withStores(async ({ apiKeys, clock }) => {
    const keys = await apiKeys.list();
    if (json) return printJson({ keys: keys.map(shown) });
    if (keys.length === 0) return say('There are no API keys.');
    const rows = keys.map((key) => [
      key.name,
      key.id,
      key.scopes.join(','),
      key.ratePerSecond === undefined ? '' : `${key.ratePerSecond}/s`,
      expiryOf(key, clock.now()),
      ago(key.lastUsedAt?.toISOString()) ?? 'never',
    ]);
    printTable(['NAME', 'ID', 'SCOPES', 'RATE', 'EXPIRES', 'LAST USED'], rows);
  });

const revoke = (nameOrId: string) =>
  withStores(async ({ apiKeys }) => {
    const revoked = await apiKeys.revoke(nameOrId);
    if (!revoked) throw new Error(`There is no key ${nameOrId}. lanekeeper keys list shows all keys.`);
    say(`The key ${revoked.name} (${revoked.id}) is revoked. Its next call is refused.`);
  });

export const command = (): Command =>
  new Command()
    .addCommand(
      new Command('create')
        .description('create a key and print it, once')
        .argument('<name>', 'a name to find the key by', keyName)
        .requiredOption('--scopes <list>', `what the key may do: ${keyScopes.join(',')}`, scopes)
        .option('--expires <span>', 'when it expires, such as 90d, 12h or 30m; default never', span)
        .option('--rate <number>', 'how many calls it may make in a second; default no limit', wholeNumber(1, 100_000))
        .option('--json', 'print JSON')
        .action((name, options) => runTool(() => create(name, options))),
    )
    .addCommand(
      new Command('list')
        .description('list the keys: names, scopes, expiry, last use')
        .option('--json', 'print JSON')
        .action((options) => runTool(() => list(options))),
    )
    .addCommand(
      new Command('revoke')
        .description('revoke a key at once')
        .argument('<name>', 'the name or the id of the key')
        .action((name) => runTool(() => revoke(name))),
    );
