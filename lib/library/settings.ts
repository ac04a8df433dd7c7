/** The options of the library, checked by the table of the environment. */
import { type Config, loadConfig } from '../config.ts';
import { ConfigError } from '../errors.ts';
import { settings } from '../settings.ts';
import type { LanekeeperOptions } from './types.ts';

const table = settings as Record<string, { name: string }>;

/** By the variable's name, what the option is called. */
const optionNames = new Map(Object.entries(settings).map(([option, { name }]) => [name as string, option]));

const textOf = (value: unknown): string => (typeof value === 'boolean' ? String(Number(value)) : String(value));

/** An error about an option says what the option is called, and not the variable that nobody has set. */
const inOptions = (text: string): string => text.replace(/\b[A-Z][A-Z_]+\b/g, (name) => optionNames.get(name) ?? name);

/** The environment that says the same as the options. Options win over `env`. @throws {ConfigError} for an unknown option */
export const environmentOf = ({ logger: _, env = {}, ...options }: LanekeeperOptions): Record<string, string> => {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const unknown = given.filter(([option]) => !Object.hasOwn(table, option)).map(([option]) => option);
  if (unknown.length > 0) throw new ConfigError([`there is no option ${unknown.join(', ')}`], 'options');
  const own = given.map(([option, value]) => [table[option]?.name ?? option, textOf(value)]);
  const theirs = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { ...Object.fromEntries(theirs), ...Object.fromEntries(own) };
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
