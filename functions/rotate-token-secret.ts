import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type RotationEvent, rotateTokenSecret } from '../lib/accounts/rotate-token-secret.ts';

const client = new SecretsManagerClient();

/** Called by AWS Secrets Manager, not by HTTP: changes `JWT_SECRET` without ending sessions. */
export const handler = (event: RotationEvent): Promise<void> => rotateTokenSecret(client, event);
