import type { Config } from '../config.ts';
import { minTokenSecretLength } from '../limits.ts';
import { SecretUnavailableError } from './errors.ts';

/**
 * The secret that signs tokens: from the environment, or else from AWS Secrets Manager.
 *
 * @throws {SecretUnavailableError} 503
 */
export const loadTokenSecret = async ({
  jwtSecret,
  jwtSecretId,
}: Pick<Config, 'jwtSecret' | 'jwtSecretId'>): Promise<string> => {
  if (jwtSecret !== undefined) return jwtSecret;
  const secret = await fetchSecret(jwtSecretId).catch((error) => {
    throw new SecretUnavailableError(`AWS Secrets Manager did not return the secret ${jwtSecretId}.`, error);
  });
  if (secret === undefined || secret.length < minTokenSecretLength) {
    throw new SecretUnavailableError(
      `The secret ${jwtSecretId} must be a string of at least ${minTokenSecretLength} characters.`,
    );
  }
  return secret;
};

/** The SDK is loaded only when it is needed, because a cold start without it is faster. */
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
