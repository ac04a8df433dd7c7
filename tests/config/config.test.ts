/** The configuration's table, and the lists of environment variables in other files that must agree with it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { environment, loadConfig } from '../../lib/config.ts';
import { settings } from '../../lib/settings.ts';

const messageOf = (env: NodeJS.ProcessEnv, role: 'functions' | 'consumer' = 'consumer'): string => {
  try {
    loadConfig(env, role);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return '';
};

describe('the configuration', () => {
  test('takes an empty variable for one that is not set', () => {
    const names = Object.keys(environment);
    const empty = Object.fromEntries(names.map((name) => [name, '']));
    expect(loadConfig(empty, 'consumer')).toEqual(loadConfig({}, 'consumer'));
    expect(loadConfig({ GRACE_MS: '7' }, 'consumer').graceMs).toBe(7);
  });

  test('reports every validation error at once, those between two variables included', () => {
    const message = messageOf(
      { LANES: 'many', RETRY_BASE_MS: '100', RETRY_MAX_MS: '50', PROCESSOR: 'webhook', WEBHOOK_SECRET: 'short' },
      'consumer',
    );
    expect(message.split('\n').slice(1)).toEqual([
      '  - LANES must be a whole number from 1 to 1024',
      '  - WEBHOOK_SECRET must have at least 16 characters',
      '  - RETRY_MAX_MS must be at least RETRY_BASE_MS (100)',
      '  - WEBHOOK_URL is required when PROCESSOR is webhook',
    ]);
  });

  test('refuses fewer bytes of bodies and answers than the workers of the API need', () => {
    const message = messageOf(
      { JWT_SECRET: 'x'.repeat(32), API_WORKERS: '4', MAX_UPLOAD_BYTES: '4194303', MAX_UNREAD_BYTES: '4194304' },
      'functions',
    );
    expect(message.split('\n').slice(1)).toEqual([
      '  - MAX_UPLOAD_BYTES must be at least 4194304: 1048576 for each of API_WORKERS (4)',
    ]);
  });

  test.each([
    [{ HOST: '0.0.0.0' }, 'HOST must be a loopback address, such as 127.0.0.1, not 0.0.0.0'],
    [{ HOST: 'api.example.com' }, 'HOST must be a loopback address, such as 127.0.0.1, not api.example.com'],
    [{ TRUSTED_PROXIES: 'loopback' }, 'TRUSTED_PROXIES must not be set: somebody passes calls on'],
    [{ NODE_ENV: 'production' }, 'NODE_ENV must not be production'],
    [{ AWS_LAMBDA_RUNTIME_API: '127.0.0.1:9001' }, 'it cannot be set on AWS Lambda'],
  ])('refuses that workers may be killed with %j', (env, why) => {
    const known = { JWT_SECRET: 'x'.repeat(32), TRY_IT_PORT: '9100' };
    expect(messageOf({ ...known, ...env }, 'functions')).toContain(`TRY_IT_PORT is for development: ${why}`);
    expect(messageOf(known, 'functions')).toBe('');
  });

  test('asks each role only for what it reads', () => {
    const env = { PROCESSOR: 'webhook', REGISTRATION: 'invite' };
    expect(messageOf(env, 'functions').split('\n').slice(1)).toEqual([
      '  - JWT_SECRET is required: the secret that signs tokens. It may also come from JWT_SECRET_FILE or JWT_SECRET_ID',
      '  - INVITE_SECRET is required when REGISTRATION is invite',
    ]);
    expect(messageOf(env, 'consumer').split('\n').slice(1)).toEqual([
      '  - WEBHOOK_URL is required when PROCESSOR is webhook',
      '  - WEBHOOK_SECRET is required when PROCESSOR is webhook',
    ]);
  });

  test.each(['0', '1025', '-1', '1.5', '1e2', ' 1', '0x10', '9'.repeat(400)])('refuses LANES=%s', (lanes) => {
    expect(messageOf({ LANES: lanes })).toContain('LANES must be a whole number from 1 to 1024');
  });

  test('names the possible values of a choice', () => {
    expect(messageOf({ FAILURE_POLICY: 'ignore' })).toContain('FAILURE_POLICY must be one of skip, block');
  });

  test('does not show a secret that it refuses', () => {
    expect(messageOf({ JWT_SECRET: 'hunter2', WEBHOOK_SECRET: 'hunter3', INVITE_SECRET: 'hunter4' })).not.toContain(
      'hunter',
    );
  });
});

const readYaml = (file: string) => parse(readFileSync(join(import.meta.dirname, '..', '..', file), 'utf8'));
const sorted = (names: Iterable<string>): string[] => [...names].sort();

/** The variables that the functions, or the consumer, read. */
const readBy = (role: 'functions' | 'consumer'): string[] =>
  Object.values(settings).flatMap((setting) =>
    setting.readBy === role || setting.readBy === 'both' ? setting.name : [],
  );

const without = (names: string[], reasons: Record<string, string>): string[] =>
  names.filter((name) => !(name in reasons));

/** The variables of the functions that infra/environment.yml leaves out. */
const notDeployed = {
  JWT_SECRET: 'the secret comes from AWS Secrets Manager (JWT_SECRET_ID)',
  INVITE_SECRET: 'the secret comes from AWS Secrets Manager (INVITE_SECRET_ID)',
  INVITE_SECRET_FILE: 'a Lambda function has no files but those of its image',
  JWT_SECRET_FILE: 'a Lambda function has no files but those of its image',
  MONGODB_URL_FILE: 'a Lambda function has no files but those of its image',
  RABBITMQ_URL_FILE: 'a Lambda function has no files but those of its image',
  GRACE_MS: 'only the gateway drains',
  PORT: 'only the gateway listens',
  API_METRICS_PORT: 'only the gateway listens',
  METRICS_HOST: 'only the gateway listens',
  HOST: 'only the gateway listens',
  TRUSTED_PROXIES: 'only the gateway sees proxies',
  MAX_CONNECTIONS: 'only the gateway listens',
  MAX_WEBSOCKETS: 'only the gateway listens',
  TRY_IT_PORT: 'nobody may kill a worker of a deployment',
  API_WORKERS: 'only functions/api.ts has processes of its own',
  KEEP_ALIVE_MS: 'only the gateway listens',
  MAX_UNREAD_BYTES: 'only the gateway listens',
  MAX_UPLOAD_BYTES: 'only the gateway listens',
};

const fromSecretsManager = 'the secret comes from AWS Secrets Manager';
/** The variables of the consumer that infra/consumer-environment.yml leaves out. */
const notOnFargate = {
  MONGODB_URL: fromSecretsManager,
  MONGODB_URL_FILE: fromSecretsManager,
  RABBITMQ_URL: fromSecretsManager,
  RABBITMQ_URL_FILE: fromSecretsManager,
  WEBHOOK_SECRET: fromSecretsManager,
  WEBHOOK_SECRET_FILE: fromSecretsManager,
};

/** What does not come from outside: it must agree with the other parts of infra/. */
const fixedOnFargate = [
  ...['MONGODB_URL_SECRET_ID', 'RABBITMQ_URL_SECRET_ID', 'MAX_OPEN_QUEUES', 'LANE_QUEUE_TYPE'],
  ...['GRACE_MS', 'WORKERS', 'METRICS_HOST', 'METRICS_PORT', 'EMF_NAMESPACE', 'WEBSOCKET_ENDPOINT'],
];

/** The variables that docker-compose.yml leaves out. */
const mounted = 'a container has the file only when it is mounted';
const notInContainers = {
  TRY_IT_PORT: 'nobody may kill a worker of a deployment',
  MONGODB_URL_FILE: 'the URL is made from the password',
  MONGODB_URL_SECRET_ID: 'the URL is made from the password',
  RABBITMQ_URL_FILE: 'the URL is made from the password',
  RABBITMQ_URL_SECRET_ID: 'the URL is made from the password',
  INVITE_SECRET_FILE: mounted,
  JWT_SECRET_FILE: mounted,
  WEBHOOK_SECRET_FILE: mounted,
};

describe('the list of environment variables', () => {
  test('in infra/environment.yml has every variable that a function reads, and no other', () => {
    const { functions: listed, deployed } = readYaml('infra/environment.yml');
    expect(sorted(Object.keys(listed))).toEqual(sorted(without(readBy('functions'), notDeployed)));
    for (const [name, value] of Object.entries(listed)) expect(value).toBe(`\${env:${name}, ''}`);
    expect(Object.keys(deployed).filter((name) => !(name in listed))).toEqual([]);
  });

  test('in infra/consumer-environment.yml has every variable that the consumer reads, and no other', () => {
    const listed: { Name: string; Value: unknown }[] = readYaml('infra/consumer-environment.yml');
    expect(sorted(listed.map(({ Name }) => Name))).toEqual(sorted(without(readBy('consumer'), notOnFargate)));
    for (const { Name, Value } of listed) if (!fixedOnFargate.includes(Name)) expect(Value).toBe(`\${env:${Name}, ''}`);
  });

  test.each([
    ['api', 'functions'],
    ['consumer', 'consumer'],
  ] as const)('in docker-compose.yml has for %s every variable that it reads, and no other', (service, role) => {
    const { environment: listed } = readYaml('docker-compose.yml').services[service];
    expect(sorted(Object.keys(listed))).toEqual(sorted(without(readBy(role), notInContainers)));
  });

  test('has a reason only for a variable that exists', () => {
    const excused = Object.keys({ ...notDeployed, ...notOnFargate, ...notInContainers });
    expect(excused.filter((name) => !(name in environment))).toEqual([]);
  });
});
