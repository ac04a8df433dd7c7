import type { Config } from '../config.ts';
import { SecretUnavailableError } from './errors.ts';

/** HS256 is as strong as its key: RFC 7518 asks for 256 bits. */
const minLength = 32;

/**
 * The secret that signs tokens: from the environment, else from AWS Secrets Manager.
 *
 * @throws {SecretUnavailableError} 503
 */
export const loadTokenSecret = async ({
  jwtSecret,
  jwtSecretId,
}: Pick<Config, 'jwtSecret' | 'jwtSecretId'>): Promise<string> => {
  if (jwtSecret !== undefined) return jwtSecret;
  const secret = await fetchSecret(jwtSecretId).catch((error) => {
    throw new SecretUnavailableError(`AWS Secrets Manager did not give the secret ${jwtSecretId}.`, error);
  });
  if (secret === undefined || secret.length < minLength) {
    throw new SecretUnavailableError(`The secret ${jwtSecretId} must be a string of at least ${minLength} characters.`);
  }
  return secret;
};

/** The SDK is loaded only where it is used: a cold start without it is faster. */
const fetchSecret = async (secretId: string | undefined): Promise<string | undefined> => {
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient({ maxAttempts: 2 });
  try {
    const value = await client.send(new GetSecretValueCommand({ SecretId: secretId, VersionStage: 'AWSCURRENT' }));
    return value.SecretString;
  } finally {
    client.destroy();
  }
};
