/** The settings that are secrets. Each comes from the environment, from a file, or from AWS Secrets Manager. */
import { readFile } from 'node:fs/promises';
import { ConfigError } from './config.ts';
import { AppError } from './errors.ts';
import type { Role } from './settings.ts';

/** Thrown when AWS Secrets Manager does not return a secret. */
export class SecretUnavailableError extends AppError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'secret-unavailable', status: 503, cause, retryAfterSeconds: 1 });
  }
}

/** The variables that hold a secret, name a file with it, and name it in AWS Secrets Manager. */
type SecretVariables = { value: string; file: string; id: string; readBy: Role | 'both' };

const secrets: SecretVariables[] = [
  { value: 'MONGODB_URL', file: 'MONGODB_URL_FILE', id: 'MONGODB_URL_SECRET_ID', readBy: 'both' },
  { value: 'RABBITMQ_URL', file: 'RABBITMQ_URL_FILE', id: 'RABBITMQ_URL_SECRET_ID', readBy: 'both' },
  { value: 'JWT_SECRET', file: 'JWT_SECRET_FILE', id: 'JWT_SECRET_ID', readBy: 'functions' },
  { value: 'INVITE_SECRET', file: 'INVITE_SECRET_FILE', id: 'INVITE_SECRET_ID', readBy: 'functions' },
  { value: 'WEBHOOK_SECRET', file: 'WEBHOOK_SECRET_FILE', id: 'WEBHOOK_SECRET_ID', readBy: 'consumer' },
];

const variablesOf = ({ value, file, id }: SecretVariables): string[] => [value, file, id];

/** Editors and `docker secret` leave a line break at the end of a file. It belongs to no secret. */
const readSecretFile = async (variable: string, path: string): Promise<string> => {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError([`${variable} names ${path}, which cannot be read (${error.code})`]);
  });
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw new ConfigError([`${variable} names ${path}, which is empty`]);
  return secret;
};

/** In ms. Without them, a Secrets Manager that cannot be reached keeps a process from saying so. */
const timeouts = { connectionTimeout: 2_000, requestTimeout: 5_000 };

/** The SDK is loaded only when it is needed, because a cold start without it is faster. */
const fetchSecret = async (secretId: string): Promise<string> => {
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient({ maxAttempts: 2, requestHandler: timeouts });
  try {
    const found = await client.send(new GetSecretValueCommand({ SecretId: secretId, VersionStage: 'AWSCURRENT' }));
    if (found.SecretString) return found.SecretString;
    throw new SecretUnavailableError(`The secret ${secretId} in AWS Secrets Manager is not a text.`);
  } catch (error) {
    if (error instanceof SecretUnavailableError) throw error;
    throw new SecretUnavailableError(`AWS Secrets Manager did not return the secret ${secretId}.`, error);
  } finally {
    client.destroy();
  }
};

const readSecret = async (
  env: NodeJS.ProcessEnv,
  { value, file, id }: SecretVariables,
): Promise<string | undefined> => {
  if (env[file]) return readSecretFile(file, env[file]);
  if (env[id]) return fetchSecret(env[id]);
  return env[value];
};

/** Nobody would know which of two values counts. */
const conflictsIn = (env: NodeJS.ProcessEnv, read: SecretVariables[]): string[] =>
  read.flatMap((variables) => {
    const given = variablesOf(variables).filter((name) => env[name]);
    return given.length > 1 ? [`${given.join(' and ')} are set, but only one of them may be`] : [];
  });

const readByRole = (role: Role | 'both'): SecretVariables[] =>
  secrets.filter(({ readBy }) => readBy === role || readBy === 'both' || role === 'both');

/**
 * Returns the environment with the values of all secrets that this role reads (`both`: all secrets), each in its own variable. The
 * variables that name a file or an id are left out.
 *
 * @throws {ConfigError} when a secret is given twice or its file cannot be read; {SecretUnavailableError} 503
 */
export const resolveSecrets = async (env: NodeJS.ProcessEnv, role: Role | 'both'): Promise<NodeJS.ProcessEnv> => {
  const read = readByRole(role);
  const conflicts = conflictsIn(env, read);
  if (conflicts.length > 0) throw new ConfigError(conflicts);
  const resolved = await Promise.all(
    read.map(async (variables) => [variables.value, await readSecret(env, variables)] as const),
  );
  return { ...withoutSecrets(env), ...Object.fromEntries(resolved) };
};

const withoutSecrets = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
  const copy = { ...env };
  hideSecrets(copy);
  return copy;
};

/** Removes every secret from the environment, before user code sees it. */
export const hideSecrets = (env: NodeJS.ProcessEnv): void => {
  for (const name of secrets.flatMap(variablesOf)) delete env[name];
};

/** Returns an environment with resolved secrets without those that this role has no use for. */
export const environmentOfRole = (env: NodeJS.ProcessEnv, role: Role): NodeJS.ProcessEnv => ({
  ...withoutSecrets(env),
  ...Object.fromEntries(readByRole(role).map(({ value }) => [value, env[value]])),
});

/** The environment of a process for isolated runs: it talks to no server of ours, but may call the webhook. */
export const environmentOfRuns = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...withoutSecrets(env),
  WEBHOOK_SECRET: env.WEBHOOK_SECRET,
});
