import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadTokenSecret } from '../../lib/accounts/token-secret.ts';

const long = 'a-secret-of-at-least-32-characters';
const asked: string[] = [];
const answers = new Map<string, { status: number; body: object }>();

/** Answers the one call of AWS Secrets Manager that is tested. */
const server = createServer(async (request, response) => {
  const { SecretId, VersionStage } = (await json(request)) as Record<string, string>;
  asked.push(`${request.headers['x-amz-target']} ${SecretId} ${VersionStage}`);
  const { status, body } = answers.get(SecretId ?? '') ?? {
    status: 400,
    body: { __type: 'ResourceNotFoundException' },
  };
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
});

const environment = process.env;

beforeEach(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  process.env = {
    ...environment,
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  };
});

afterEach(async () => {
  process.env = environment;
  asked.length = 0;
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

describe('loadTokenSecret', () => {
  test('uses the secret from the environment and does not call AWS', async () => {
    await expect(loadTokenSecret({ jwtSecret: long, jwtSecretId: 'lanekeeper/jwt' })).resolves.toBe(long);
    expect(asked).toEqual([]);
  });

  test('fetches the current version of the secret from AWS Secrets Manager', async () => {
    answers.set('lanekeeper/jwt', { status: 200, body: { SecretString: long } });
    await expect(loadTokenSecret({ jwtSecret: undefined, jwtSecretId: 'lanekeeper/jwt' })).resolves.toBe(long);
    expect(asked).toEqual(['secretsmanager.GetSecretValue lanekeeper/jwt AWSCURRENT']);
  });

  test('refuses a secret that is too short to sign with', async () => {
    answers.set('short', { status: 200, body: { SecretString: 'short' } });
    const loading = loadTokenSecret({ jwtSecret: undefined, jwtSecretId: 'short' });
    await expect(loading).rejects.toMatchObject({ code: 'secret-unavailable', status: 503 });
  });

  test('fails with a retryable error when the secret does not exist yet', async () => {
    const loading = loadTokenSecret({ jwtSecret: undefined, jwtSecretId: 'unknown' });
    await expect(loading).rejects.toMatchObject({ code: 'secret-unavailable', retryAfterSeconds: 1 });
  });
});
