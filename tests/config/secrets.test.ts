import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ConfigError } from '../../lib/config.ts';
import { environmentOfRuns, resolveSecrets } from '../../lib/secrets.ts';
import { startHttpServer } from '../support/http-server.ts';

const long = 'a-secret-of-at-least-32-characters';
const asked: string[] = [];
const answers = new Map<string, { status: number; body: object }>();

/** Answers the one call of AWS Secrets Manager that is tested. */
const server = await startHttpServer(async (request, response) => {
  const { SecretId, VersionStage } = (await json(request)) as Record<string, string>;
  asked.push(`${request.headers['x-amz-target']} ${SecretId} ${VersionStage}`);
  const { status, body } = answers.get(SecretId ?? '') ?? {
    status: 400,
    body: { __type: 'ResourceNotFoundException' },
  };
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
});

const environment = process.env;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lanekeeper-secrets-'));
  process.env = {
    ...environment,
    AWS_ENDPOINT_URL: server.url,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  };
});

afterEach(() => {
  process.env = environment;
  asked.length = 0;
  rmSync(folder, { recursive: true });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const fileWith = (text: string): string => {
  const path = join(folder, 'secret');
  writeFileSync(path, text);
  return path;
};

describe('resolveSecrets', () => {
  test('uses the secrets of the environment and does not call AWS', async () => {
    const env = { MONGODB_URL: 'mongodb://a', RABBITMQ_URL: 'amqp://b', JWT_SECRET: long, LANES: '8' };
    await expect(resolveSecrets(env, 'functions')).resolves.toEqual(env);
    expect(asked).toEqual([]);
  });

  test.each([
    ['MONGODB_URL', 'MONGODB_URL_SECRET_ID', 'consumer'],
    ['RABBITMQ_URL', 'RABBITMQ_URL_SECRET_ID', 'functions'],
    ['JWT_SECRET', 'JWT_SECRET_ID', 'functions'],
    ['INVITE_SECRET', 'INVITE_SECRET_ID', 'functions'],
    ['WEBHOOK_SECRET', 'WEBHOOK_SECRET_ID', 'consumer'],
  ] as const)('fetches the current version of %s from AWS Secrets Manager', async (name, idName, role) => {
    answers.set('lanekeeper/x', { status: 200, body: { SecretString: long } });
    const resolved = await resolveSecrets({ [idName]: 'lanekeeper/x' }, role);
    expect(resolved).toMatchObject({ [name]: long });
    expect(Object.keys(resolved)).not.toContain(idName);
    expect(asked).toEqual(['secretsmanager.GetSecretValue lanekeeper/x AWSCURRENT']);
  });

  test.each([
    ['MONGODB_URL', 'consumer'],
    ['RABBITMQ_URL', 'functions'],
    ['JWT_SECRET', 'functions'],
    ['INVITE_SECRET', 'functions'],
    ['WEBHOOK_SECRET', 'consumer'],
  ] as const)('reads %s from a file, without the line break at its end', async (name, role) => {
    const resolved = await resolveSecrets({ [`${name}_FILE`]: fileWith(`${long}\n`) }, role);
    expect(resolved).toMatchObject({ [name]: long });
    expect(Object.keys(resolved)).not.toContain(`${name}_FILE`);
  });

  test('does not read a secret that the role has no use for', async () => {
    const env = { JWT_SECRET: long, JWT_SECRET_FILE: join(folder, 'missing'), WEBHOOK_SECRET: long };
    expect(Object.keys(await resolveSecrets(env, 'consumer'))).not.toContain('JWT_SECRET');
    expect(Object.keys(await resolveSecrets({ WEBHOOK_SECRET: long }, 'functions'))).not.toContain('WEBHOOK_SECRET');
  });

  test('reports every secret that is given twice, without its value', async () => {
    const env = { JWT_SECRET: long, JWT_SECRET_ID: 'x', MONGODB_URL: 'mongodb://a:pw@b', MONGODB_URL_FILE: 'y' };
    const resolving = resolveSecrets(env, 'functions');
    await expect(resolving).rejects.toBeInstanceOf(ConfigError);
    await expect(resolving).rejects.toThrow('MONGODB_URL and MONGODB_URL_FILE are set, but only one of them may be');
    await expect(resolving).rejects.toThrow('JWT_SECRET and JWT_SECRET_ID are set, but only one of them may be');
    await expect(resolving).rejects.not.toThrow(/pw|secret-of/);
  });

  test('names a file that cannot be read, and one that is empty', async () => {
    const missing = join(folder, 'missing');
    await expect(resolveSecrets({ RABBITMQ_URL_FILE: missing }, 'consumer')).rejects.toThrow(
      `RABBITMQ_URL_FILE names ${missing}, which cannot be read (ENOENT)`,
    );
    await expect(resolveSecrets({ RABBITMQ_URL_FILE: fileWith('\n') }, 'consumer')).rejects.toThrow('which is empty');
  });

  test('fails with a retryable error when the secret does not exist yet', async () => {
    const resolving = resolveSecrets({ JWT_SECRET_ID: 'unknown' }, 'functions');
    await expect(resolving).rejects.toMatchObject({ code: 'secret-unavailable', status: 503, retryAfterSeconds: 1 });
  });
});

test('a process for isolated runs gets the secret of the webhook and no other', () => {
  const env = {
    MONGODB_URL: 'm',
    RABBITMQ_URL: 'r',
    JWT_SECRET: long,
    WEBHOOK_SECRET: 'w',
    JWT_SECRET_ID: 'i',
    LANES: '8',
  };
  expect(environmentOfRuns(env)).toEqual({ WEBHOOK_SECRET: 'w', LANES: '8' });
});
