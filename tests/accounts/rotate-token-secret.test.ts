/** The rotation of `JWT_SECRET`, with the calls that AWS Secrets Manager gets and makes. */
import { json } from 'node:stream/consumers';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect, test } from '@jest/globals';
import { rotateTokenSecret } from '../../lib/accounts/rotate-token-secret.ts';
import { tokenKeysOf } from '../../lib/accounts/token-secrets.ts';
import { signToken, verifyToken } from '../../lib/accounts/tokens.ts';
import { startHttpServer } from '../support/http-server.ts';

type Asked = Record<string, string & string[]>;
type Version = { value: string; stages: string[] };

/** The four calls of Secrets Manager, for one secret. `VersionStage` and `VersionId` must both hold, as there. */
const startSecretsManager = async (first: string) => {
  const versions = new Map<string, Version>([['v0', { value: first, stages: ['AWSCURRENT'] }]]);
  const writes: string[] = [];
  const withStage = (stage: string) => [...versions].find(([, { stages }]) => stages.includes(stage));
  const calls: Record<string, (asked: Asked) => object | undefined> = {
    GetSecretValue: ({ VersionStage = '', VersionId }) => {
      const [id, version] = withStage(VersionStage) ?? [];
      return version && (VersionId === undefined || VersionId === id) ? { SecretString: version.value } : undefined;
    },
    PutSecretValue: ({ ClientRequestToken = '', SecretString = '', VersionStages = [] }) => {
      versions.set(ClientRequestToken, { value: SecretString, stages: [...VersionStages] });
      return {};
    },
    DescribeSecret: () => ({
      VersionIdsToStages: Object.fromEntries([...versions].map(([id, { stages }]) => [id, stages])),
    }),
    UpdateSecretVersionStage: ({ VersionStage = '', MoveToVersionId = '', RemoveFromVersionId = '' }) => {
      const from = versions.get(RemoveFromVersionId);
      if (from) from.stages = from.stages.filter((stage) => stage !== VersionStage);
      versions.set(MoveToVersionId, { value: versions.get(MoveToVersionId)?.value ?? '', stages: [VersionStage] });
      return {};
    },
  };
  const server = await startHttpServer(async (request, response) => {
    const call = String(request.headers['x-amz-target']).replace('secretsmanager.', '');
    if (!/^(Get|Describe)/.test(call)) writes.push(call);
    const found = calls[call]?.((await json(request)) as Asked);
    response.writeHead(found ? 200 : 400, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(found ?? { __type: 'ResourceNotFoundException' }));
  });
  const client = new SecretsManagerClient({
    endpoint: server.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  return {
    client,
    writes,
    current: () => withStage('AWSCURRENT')?.[1].value ?? '',
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
};

const steps = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'];
const identity = { userId: 'u1', sessionId: 's1' };
const now = new Date('2026-01-01T00:00:00Z');
const token = (text: string) => signToken(identity, new Date('2026-02-01T00:00:00Z'), tokenKeysOf(text)[0]);

test('across each rotation, tokens of both values are good for processes with either value', async () => {
  await using manager = await startSecretsManager('x'.repeat(64));
  const values = [manager.current()];
  for (const id of ['v1', 'v2', 'v3', 'v4']) {
    for (const Step of steps)
      await rotateTokenSecret(manager.client, { Step, SecretId: 'jwt', ClientRequestToken: id });
    values.push(manager.current());
  }
  expect(new Set(values).size).toBe(5);
  for (const [index, value] of values.slice(1).entries()) {
    const before = values[index] ?? '';
    for (const text of [before, value]) {
      expect(verifyToken(token(before), tokenKeysOf(text), now)).toEqual(identity);
      expect(verifyToken(token(value), tokenKeysOf(text), now)).toEqual(identity);
    }
  }
  // A secret is gone after it was upcoming, signed, and verified.
  expect(() => verifyToken(token(values[0] ?? ''), tokenKeysOf(values[4] ?? ''), now)).toThrow('not valid');
});

test('a step that Secrets Manager repeats changes nothing', async () => {
  await using manager = await startSecretsManager('x'.repeat(64));
  for (const Step of steps.flatMap((step) => [step, step]))
    await rotateTokenSecret(manager.client, { Step, SecretId: 'jwt', ClientRequestToken: 'v1' });
  expect(manager.writes).toEqual(['PutSecretValue', 'UpdateSecretVersionStage']);
});
