import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { environment, loadConfig } from '../../lib/config.ts';
import type { Role } from '../../lib/settings.ts';
import { permissionsOfRole, userOfRole } from '../../tools/services/rabbitmq-users.ts';

type Service = {
  image?: string;
  build?: { context: string; target: string };
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  ulimits?: { nofile: { soft: number; hard: number } };
  user?: string;
  configs?: unknown[];
  networks?: string[];
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  mem_limit?: string;
  pids_limit?: number;
};

const root = join(import.meta.dirname, '..', '..');
const read = (name: string): string => readFileSync(join(root, name), 'utf8');
type Compose = {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
  networks: Record<string, { internal?: boolean }>;
};
const compose = parse(read('docker-compose.yml'), { merge: true }) as Compose;
const service = (name: string): Service => {
  const found = compose.services[name];
  if (!found) throw new Error(`docker-compose.yml has no service ${name}.`);
  return found;
};
const names = Object.keys(compose.services);
const ours = ['api', 'consumer'];

const passwords: Record<string, string> = {
  MONGODB_PASSWORD: 'pw-mongodb',
  RABBITMQ_FUNCTIONS_PASSWORD: 'pw-functions',
  RABBITMQ_CONSUMER_PASSWORD: 'pw-consumer',
};

/** As Compose does: a password for its variable, the default for a variable that is not set, and $ for $$. */
const withDefaults = (value: string): string =>
  value
    .replace(/\$\{([A-Z_]+)(?::\?[^}]*)?\}/g, (whole, name) => passwords[name] ?? whole)
    .replace(/\$\{[A-Z_]+:-([^}]*)\}/g, '$1')
    .replaceAll('$$', () => '$');
const settingsOf = (name: string): Record<string, string> =>
  Object.fromEntries(Object.entries(service(name).environment ?? {}).map(([key, value]) => [key, withDefaults(value)]));

describe('docker-compose.yml', () => {
  test('takes both servers from their images, and builds the API and the consumer as targets of our Dockerfile', () => {
    expect(names.sort()).toEqual(['api', 'consumer', 'mongodb', 'rabbitmq']);
    for (const server of ['rabbitmq', 'mongodb']) {
      expect(service(server).image).toMatch(/^[a-z]+:\d+\.\d+\.\d+$/);
    }
    expect(service('api').build).toEqual({ context: '.', target: 'gateway' });
    expect(service('consumer').build).toEqual({ context: '.', target: 'consumer' });
    for (const name of ours) expect(service(name).command).toBeUndefined();
  });

  test.each(names)('%s has a health check and publishes its ports only on the loopback address', (name) => {
    expect(service(name).healthcheck?.test[0]).toMatch(/^CMD(-SHELL)?$/);
    expect(service(name).healthcheck?.test.length).toBeGreaterThan(1);
    for (const port of service(name).ports ?? []) {
      expect(withDefaults(port)).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    }
  });

  test('publishes the API and the metrics, but no server', () => {
    const published = names.flatMap((name) => (service(name).ports ?? []).map(withDefaults));
    expect(published.sort()).toEqual([3_000, 9_464, 9_465].map((port) => `127.0.0.1:${port}:${port}`).sort());
    expect(compose.networks.servers).toEqual({ internal: true });
    for (const server of ['rabbitmq', 'mongodb']) expect(service(server).networks).toEqual(['servers']);
  });

  test.each(names)(
    '%s may not write to its file system, gain privileges, or use memory and processes without limit',
    (name) => {
      expect(service(name)).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        mem_limit: expect.stringMatching(/^\$\{[A-Z]+_MEMORY:-\d+[mg]\}$/),
        pids_limit: expect.anything(),
      });
      // Compose cannot write the content of a config into a container with a read-only file system.
      expect(service(name).configs).toBeUndefined();
    },
  );

  test('has no default password', () => {
    for (const name of ['MONGODB_ROOT_PASSWORD', ...Object.keys(passwords)]) {
      expect(read('docker-compose.yml')).toMatch(new RegExp(`\\$\\{${name}:\\?Set a password`));
      expect(read('docker-compose.yml')).not.toMatch(new RegExp(`\\$\\{${name}:?-`));
    }
  });

  test.each(ours)('%s sets only environment variables that the configuration knows', (name) => {
    for (const variable of Object.keys(service(name).environment ?? {})) {
      expect(Object.keys(environment)).toContain(variable);
    }
  });

  test('the consumer starts with the given settings; the API also needs a secret', () => {
    expect(loadConfig(settingsOf('consumer'), 'consumer').metricsPort).toBe(9_464);
    expect(() => loadConfig(settingsOf('api'), 'functions')).toThrow('JWT_SECRET');
    const api = loadConfig({ ...settingsOf('api'), JWT_SECRET: 'x'.repeat(32) }, 'functions');
    expect(api).toMatchObject({ port: 3_000, apiMetricsPort: 9_465, metricsHost: '0.0.0.0' });
  });

  test.each<[string, Role]>([
    ['api', 'functions'],
    ['consumer', 'consumer'],
  ])('%s uses users of the servers that may do only what it needs', (name, role) => {
    const { users, permissions } = JSON.parse(settingsOf('rabbitmq').LANEKEEPER_DEFINITIONS ?? '');
    const user = userOfRole[role];
    const settings = settingsOf(name);
    expect(settings.RABBITMQ_URL).toBe(`amqp://${user}:pw-${role}@rabbitmq:5672`);
    expect(settings.MONGODB_URL).toBe('mongodb://lanekeeper:pw-mongodb@mongodb:27017/lanekeeper?replicaSet=lanekeeper');
    expect(users).toContainEqual({ name: user, password: `pw-${role}`, tags: '' });
    expect(permissions).toContainEqual({ user, vhost: '/', ...permissionsOfRole('')[role] });
    expect([users.length, permissions.length]).toEqual([2, 2]);
    expect(service(name).depends_on).toEqual({
      rabbitmq: { condition: 'service_healthy' },
      mongodb: { condition: 'service_healthy' },
    });
  });

  test('the servers keep their data in named volumes, and RabbitMQ may open many files', () => {
    const mounted = names.flatMap((name) => service(name).volumes ?? []).map((volume) => volume.split(':')[0]);
    expect(mounted.sort()).toEqual(Object.keys(compose.volumes).sort());
    expect(service('rabbitmq').ulimits?.nofile.hard).toBeGreaterThanOrEqual(65_536);
  });
});

describe('Dockerfile', () => {
  const lines = read('Dockerfile').split('\n');

  /** The lines of a stage and of those below it. */
  const stage = (name: string): string[] => {
    const start = lines.findIndex((line) => line.startsWith('FROM ') && line.endsWith(` AS ${name}`));
    const end = lines.findIndex((line, index) => index > start && line.startsWith('FROM '));
    const [, from = ''] = (lines[start] ?? '').split(' ');
    const below = lines.some((line) => line.endsWith(` AS ${from}`)) ? stage(from) : [];
    return [...below, ...lines.slice(start, end === -1 ? undefined : end)];
  };

  test('takes its base image as a build argument', () => {
    expect(read('Dockerfile')).toMatch(/^ARG BASE_IMAGE=\S+\n\nFROM \$\{BASE_IMAGE\} AS build$/m);
  });

  test.each(['functions', 'gateway', 'consumer'])('%s has labels, and does not run as root', (name) => {
    expect(stage(name).findLast((line) => line.startsWith('USER '))).toBe('USER 1000:1000');
    const text = stage(name).join('\n');
    for (const label of ['title', 'description', 'licenses', 'version', 'revision'])
      expect(text).toContain(`org.opencontainers.image.${label}=`);
  });

  test('copies exactly the files that .dockerignore sends', () => {
    const sent = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copies = lines.filter((line) => line.startsWith('COPY ') && !line.includes('--from='));
    expect(copies.flatMap((line) => line.split(' ').slice(1, -1)).sort()).toEqual(sent.sort());
  });
});
