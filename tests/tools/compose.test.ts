import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { environment, loadConfig } from '../../lib/config.ts';

type Service = {
  image?: string;
  build?: string;
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  ulimits?: { nofile: { soft: number; hard: number } };
};

const root = join(import.meta.dirname, '..', '..');
const read = (name: string): string => readFileSync(join(root, name), 'utf8');
const compose = parse(read('docker-compose.yml')) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};
const service = (name: string): Service => {
  const found = compose.services[name];
  if (!found) throw new Error(`docker-compose.yml has no service ${name}.`);
  return found;
};
const names = Object.keys(compose.services);
const ours = ['api', 'consumer'];

/** Replaces `${NAME:-default}` by the default, as Compose does when NAME is not set. */
const withDefaults = (value: string): string => value.replace(/\$\{[A-Z_]+:-([^}]*)\}/g, '$1');
const settingsOf = (name: string): Record<string, string> =>
  Object.fromEntries(Object.entries(service(name).environment ?? {}).map(([key, value]) => [key, withDefaults(value)]));

describe('docker-compose.yml', () => {
  test('takes both servers from their images, and builds the API and the consumer from our Dockerfile', () => {
    expect(names.sort()).toEqual(['api', 'consumer', 'mongodb', 'rabbitmq']);
    expect(service('rabbitmq').image).toBe('rabbitmq:4-management');
    expect(service('mongodb').image).toBe('mongo:8');
    for (const name of ours) expect(service(name).build).toBe('.');
  });

  test.each(names)('%s has a health check and publishes its ports only on the loopback address', (name) => {
    expect(service(name).healthcheck?.test[0]).toBe('CMD');
    expect(service(name).healthcheck?.test.length).toBeGreaterThan(1);
    for (const port of service(name).ports ?? []) {
      expect(withDefaults(port)).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    }
  });

  test('publishes the usual ports by default', () => {
    const published = names.flatMap((name) => (service(name).ports ?? []).map(withDefaults));
    expect(published.sort()).toEqual(
      [5_672, 15_672, 27_017, 3_000, 9_464].map((port) => `127.0.0.1:${port}:${port}`).sort(),
    );
  });

  test.each(ours)('%s sets only environment variables that the configuration knows', (name) => {
    for (const variable of Object.keys(service(name).environment ?? {})) {
      expect(Object.keys(environment)).toContain(variable);
    }
  });

  test('the servers set only environment variables of their own images', () => {
    const known = ['RABBITMQ_DEFAULT_USER', 'RABBITMQ_DEFAULT_PASS', 'RABBITMQ_DEFAULT_VHOST'];
    for (const variable of Object.keys(service('rabbitmq').environment ?? {})) expect(known).toContain(variable);
    expect(service('mongodb').environment).toBeUndefined();
  });

  test('the consumer starts with the given settings; the API also needs a secret', () => {
    expect(loadConfig(settingsOf('consumer'), 'consumer').metricsPort).toBe(9_464);
    expect(() => loadConfig(settingsOf('api'), 'functions')).toThrow('JWT_SECRET');
    expect(loadConfig({ ...settingsOf('api'), JWT_SECRET: 'x'.repeat(32) }, 'functions').port).toBe(3_000);
  });

  test('the API and the consumer use the names, ports and passwords of the servers', () => {
    const rabbitmq = settingsOf('rabbitmq');
    for (const name of ours) {
      const settings = settingsOf(name);
      const login = `${rabbitmq.RABBITMQ_DEFAULT_USER}:${rabbitmq.RABBITMQ_DEFAULT_PASS}`;
      expect(settings.RABBITMQ_URL).toBe(`amqp://${login}@rabbitmq:5672`);
      expect(settings.MONGODB_URL).toBe('mongodb://mongodb:27017/lanekeeper');
      expect(service(name).depends_on).toEqual({
        rabbitmq: { condition: 'service_healthy' },
        mongodb: { condition: 'service_healthy' },
      });
    }
  });

  test('the servers keep their data in named volumes, and RabbitMQ may open many files', () => {
    const mounted = names.flatMap((name) => service(name).volumes ?? []).map((volume) => volume.split(':')[0]);
    expect(mounted.sort()).toEqual(Object.keys(compose.volumes).sort());
    expect(service('rabbitmq').ulimits?.nofile.hard).toBeGreaterThanOrEqual(65_536);
  });
});

describe('Dockerfile', () => {
  const lines = read('Dockerfile').split('\n');

  test('takes its base image as a build argument and does not run as root', () => {
    expect(read('Dockerfile')).toMatch(/^ARG BASE_IMAGE=\S+\nFROM \$\{BASE_IMAGE\}$/m);
    expect(lines.findLast((line) => line.startsWith('USER '))).toBe('USER 1000:1000');
  });

  test('copies exactly the files that .dockerignore sends', () => {
    const sent = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = lines.filter((line) => line.startsWith('COPY ')).flatMap((line) => line.split(' ').slice(1, -1));
    expect(copied.sort()).toEqual(sent.sort());
  });
});
