/** The steps in which AWS Secrets Manager changes `JWT_SECRET`. */
import { randomBytes } from 'node:crypto';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { nextTokenSecrets } from './token-secrets.ts';

/** What Secrets Manager calls a rotation function with, once for each step. `ClientRequestToken` is the id of the new version. */
export type RotationEvent = { Step: string; SecretId: string; ClientRequestToken: string };

type Version = { SecretId: string; VersionStage: 'AWSCURRENT' | 'AWSPENDING'; VersionId?: string };

const secretAt = async (client: SecretsManagerClient, version: Version): Promise<string> =>
  (await client.send(new GetSecretValueCommand(version))).SecretString ?? '';

const hasValue = (client: SecretsManagerClient, version: Version): Promise<boolean> =>
  secretAt(client, version).then(
    () => true,
    (error) => {
      if (error instanceof ResourceNotFoundException) return false;
      throw error;
    },
  );

/** Secrets Manager repeats a step that failed: the value is made once. */
const createSecret = async (client: SecretsManagerClient, { SecretId, ClientRequestToken }: RotationEvent) => {
  const pending = { SecretId, VersionStage: 'AWSPENDING', VersionId: ClientRequestToken } as const;
  if (await hasValue(client, pending)) return;
  const current = await secretAt(client, { SecretId, VersionStage: 'AWSCURRENT' });
  const SecretString = nextTokenSecrets(current, randomBytes(48).toString('base64url'));
  await client.send(
    new PutSecretValueCommand({ SecretId, ClientRequestToken, SecretString, VersionStages: ['AWSPENDING'] }),
  );
};

const finishSecret = async (client: SecretsManagerClient, { SecretId, ClientRequestToken }: RotationEvent) => {
  const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId }));
  const [RemoveFromVersionId] =
    Object.entries(VersionIdsToStages).find(([, stages]) => stages.includes('AWSCURRENT')) ?? [];
  if (RemoveFromVersionId === ClientRequestToken) return;
  const move = { SecretId, VersionStage: 'AWSCURRENT', MoveToVersionId: ClientRequestToken, RemoveFromVersionId };
  await client.send(new UpdateSecretVersionStageCommand(move));
};

/** No server knows the secret, so that the steps `setSecret` and `testSecret` have nothing to do. */
export const rotateTokenSecret = async (client: SecretsManagerClient, event: RotationEvent): Promise<void> => {
  if (event.Step === 'createSecret') await createSecret(client, event);
  if (event.Step === 'finishSecret') await finishSecret(client, event);
};
