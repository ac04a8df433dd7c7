/** The options of the library, checked by the table of the environment. */
import { type Config, loadConfig } from '../config.ts';
import { ConfigError } from '../errors.ts';
import { resolveSecrets } from '../secrets.ts';
import { settings } from '../settings.ts';
import type { LanekeeperOptions } from './types.ts';

const table = settings as Record<string, { name: string }>;

/** By the variable's name, what the option is called. */
const optionNames = new Map(Object.entries(settings).map(([option, { name }]) => [name as string, option]));

const waysOf = (name: string): string[] => [name, `${name}_FILE`, `${name}_SECRET_ID`];

const textOf = (value: unknown): string => (typeof value === 'boolean' ? String(Number(value)) : String(value));

/** An error about an option says what the option is called, and not the variable that nobody has set. */
const inOptions = (text: string): string => text.replace(/\b[A-Z][A-Z_]+\b/g, (name) => optionNames.get(name) ?? name);

/** The environment that says the same as the options. Options win over `env`. @throws {ConfigError} for an unknown option */
export const environmentOf = ({ logger: _, env = {}, ...options }: LanekeeperOptions): Record<string, string> => {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const unknown = given.filter(([option]) => !Object.hasOwn(table, option)).map(([option]) => option);
  if (unknown.length > 0) throw new ConfigError([`there is no option ${unknown.join(', ')}`], 'options');
  const empty = given.filter(([option, value]) => value === '' && option !== 'queuePrefix').map(([option]) => option);
  // An empty variable counts as not set, so that the default would be used.
  if (empty.length > 0)
    throw new ConfigError(
      empty.map((option) => `${option} must not be empty`),
      'options',
    );
  const own = given.map(([option, value]) => [table[option]?.name ?? option, textOf(value)]);
  const theirs = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { ...Object.fromEntries(theirs), ...Object.fromEntries(own) };
};

/** The same, with the secrets that files or AWS Secrets Manager hold. @throws {ConfigError} {SecretUnavailableError} */
export const resolvedEnvironmentOf = async (options: LanekeeperOptions): Promise<Record<string, string>> => {
  const { mongodbUrl, rabbitmqUrl, env = {} } = options;
  // An option wins over every way to give the same secret.
  const overridden = [...(mongodbUrl ? waysOf('MONGODB_URL') : []), ...(rabbitmqUrl ? waysOf('RABBITMQ_URL') : [])];
  const left = Object.fromEntries(Object.entries(env).filter(([name]) => !overridden.includes(name)));
  const resolved = await resolveSecrets(environmentOf({ ...options, env: left }), 'consumer');
  return environmentOf({ env: resolved });
};

/** @throws {ConfigError} It lists every validation error. */
export const configOf = (environment: Record<string, string>): Config => {
  try {
    return loadConfig(environment, 'consumer');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(error.validationErrors.map(inOptions), 'options');
  }
};
