/** The configuration of a command that uses MongoDB, and perhaps RabbitMQ, and is neither role. */
import { env } from 'node:process';
import { type Config, loadConfig } from '../lib/config.ts';
import { resolveSecrets } from '../lib/secrets.ts';
import { asInDevelopment } from './services/chosen.ts';

/** What the environment says. Where it names no servers, those that an earlier command of this folder chose. @throws {ConfigError} */
export const loadStoreConfig = async (): Promise<Config> => {
  const given = await resolveSecrets(env, 'consumer');
  return loadConfig(asInDevelopment(given, 'consumer') ?? given, 'consumer');
};
