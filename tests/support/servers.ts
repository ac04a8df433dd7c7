/** The servers that the tests use (jest's global set-up started them), and names that no other test uses. */
import { randomBytes } from 'node:crypto';
import { env } from 'node:process';
import { type Config, loadConfig } from '../../lib/config.ts';

const fromSetUp = (name: string): string => {
  const value = env[name];
  if (!value) throw new Error(`${name} is not set. Run tests with "npm test -- PATH", which starts the servers.`);
  return value;
};

export const rabbitmqUrl = (): string => fromSetUp('RABBITMQ_URL');

/** The URL of the test MongoDB with this database name. */
export const mongodbUrl = (databaseName: string): string => {
  const url = new URL(fromSetUp('MONGODB_URL'));
  url.pathname = `/${databaseName}`;
  return url.href;
};

/** The prefix, a hyphen and 10 random characters: short enough for a database name and for a queue prefix. */
export const uniqueName = (prefix: string): string => `${prefix}-${randomBytes(5).toString('hex')}`;

/** Signs the tokens of the APIs that tests start. */
export const tokenSecret = 'a-secret-that-only-the-tests-know-0123456789';

const smallValues = {
  LANES: '4',
  AUTO_MIGRATE: '1',
  LOG_LEVEL: 'silent',
  BCRYPT_COST: '4',
  JWT_SECRET: tokenSecret,
  WORKERS: '1',
  RETRY_BASE_MS: '5',
  RETRY_MAX_MS: '50',
  GRACE_MS: '2000',
  GAP_TIMEOUT_MS: '5000',
  STUCK_AFTER_MS: '1000',
  SWEEP_MS: '300',
  BALANCE_MS: '300',
  FLUSH_MS: '50',
  PORT: '0',
  METRICS_PORT: '0',
};

/** A complete configuration with short times. Each call returns its own database name and queue prefix. */
export const testConfig = (overrides: Partial<Config> = {}): Config => {
  const name = uniqueName('test');
  const settings = {
    ...smallValues,
    RABBITMQ_URL: overrides.rabbitmqUrl ?? rabbitmqUrl(),
    MONGODB_URL: overrides.mongodbUrl ?? mongodbUrl(name),
    QUEUE_PREFIX: `${name}.`,
  };
  return { ...loadConfig(settings, 'functions'), ...overrides };
};
