import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import mongoose from 'mongoose';
import { loadConfig } from '../../lib/config.ts';
import { checkNode, checkOpenFiles } from '../../tools/doctor/host.ts';
import { freePort } from '../../tools/services/probe.ts';
import { findRabbitmq } from '../../tools/services/rabbitmq.ts';
import { urlForRole } from '../../tools/services/rabbitmq-users.ts';
import { privateRabbitmq } from '../support/private-servers.ts';
import { mongodbUrl, rabbitmqUrl, uniqueName } from '../support/servers.ts';
import { command } from './support/lanekeeper.ts';

jest.setTimeout(120_000);

type Finding = { check: string; status: string; found: string; todo?: string };

const scratch = mkdtempSync(join(tmpdir(), 'lanekeeper-doctor-'));
const database = mongodbUrl(uniqueName('doctor'));
writeFileSync(join(scratch, 'processor.ts'), 'export default async (request: unknown) => request;\n');
afterAll(async () => {
  rmSync(scratch, { recursive: true, force: true });
  const store = await mongoose.createConnection(database).asPromise();
  await store.dropDatabase();
  await store.close();
});

const goodEnvironment = async (): Promise<NodeJS.ProcessEnv> => ({
  PATH: process.env.PATH,
  RABBITMQ_URL: rabbitmqUrl(),
  MONGODB_URL: database,
  JWT_SECRET: 'a secret of more than 32 characters',
  PROCESSOR: './processor.ts',
  PORT: String(await freePort()),
  METRICS_PORT: String(await freePort()),
});

const doctor = async (env: NodeJS.ProcessEnv, ...args: string[]) => {
  const { code, stdout } = await command(scratch, ['doctor', '--json', ...args], {
    ...(await goodEnvironment()),
    ...env,
  });
  const { findings, broken } = JSON.parse(stdout) as { findings: Finding[]; broken: boolean };
  expect(code).toBe(broken ? 1 : 0);
  const statusOf = Object.fromEntries(findings.map(({ check, status }) => [check, status]));
  return { code, statusOf, of: (check: string) => findings.find((finding) => finding.check === check) };
};

describe('lanekeeper doctor', () => {
  test('finds what it needs in a good environment, once the indexes are there', async () => {
    const before = await doctor({});
    expect(before.of('indexes')).toMatchObject({ status: 'broken', todo: 'Run lanekeeper migrate.' });
    await command(scratch, ['migrate'], await goodEnvironment());

    const { code, statusOf } = await doctor({});
    expect(code).toBe(0);
    // The servers of the tests have one user for both roles, and may be a single MongoDB.
    const { MongoDB: _, ...sure } = statusOf;
    expect(sure).toEqual({
      'Node.js': 'ok',
      'environment (API)': 'ok',
      'environment (consumer)': 'ok',
      'open files (API)': expect.any(String),
      'open files (consumer)': expect.any(String),
      'port of the API': 'ok',
      'port of /metrics': 'ok',
      'rights in MongoDB': 'ok',
      clock: 'ok',
      indexes: 'ok',
      RabbitMQ: 'ok',
      'channels of RabbitMQ': 'ok',
      'rights in RabbitMQ (API)': 'warning',
      'rights in RabbitMQ (consumer)': 'warning',
      processor: 'ok',
    });
  });

  test('ends with 1 and says for each broken thing what to do', async () => {
    const other = createServer((_request, response) => response.end('something else'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    writeFileSync(join(scratch, 'broken.ts'), 'export default (\n');
    const nowhere = await freePort();
    const { code, of } = await doctor({
      PORT: String(port),
      PROCESSOR: './broken.ts',
      RABBITMQ_URL: `amqp://127.0.0.1:${nowhere}`,
      MONGODB_URL: `mongodb://127.0.0.1:${nowhere}/x`,
      STORE_TIMEOUT_MS: '1000',
    });
    other.close();
    expect(code).toBe(1);
    expect(of('port of the API')).toMatchObject({ status: 'broken', todo: expect.stringContaining('PORT') });
    expect(of('processor')).toMatchObject({ status: 'broken', found: expect.stringContaining('could not be loaded') });
    expect(of('MongoDB')).toMatchObject({ status: 'broken', todo: expect.stringContaining('MONGODB_URL') });
    expect(of('RabbitMQ')).toMatchObject({ status: 'broken', todo: expect.stringContaining('RABBITMQ_URL') });
  });

  test('names the hosts of a cluster that cannot be reached, and lanes that do not outlive a node', async () => {
    const nowhere = `127.0.0.1:${await freePort()}`;
    const { host } = new URL(rabbitmqUrl());
    const { of } = await doctor(
      { RABBITMQ_URL: rabbitmqUrl().replace(host, `${nowhere},${host}`) },
      '--role',
      'consumer',
    );
    expect(of('RabbitMQ')).toMatchObject({ status: 'ok' });
    expect(of(`RabbitMQ at ${nowhere}`)).toMatchObject({ status: 'warning' });
    expect(of('lanes in RabbitMQ')).toMatchObject({ todo: expect.stringContaining('LANE_QUEUE_TYPE=quorum') });
  });

  test('names every validation error, and checks one role alone where asked', async () => {
    const { of } = await doctor({ JWT_SECRET: 'short', BCRYPT_COST: '99' });
    expect(of('environment (API)')?.found).toMatch(/JWT_SECRET[\s\S]*BCRYPT_COST/);
    const alone = await doctor({ JWT_SECRET: '' }, '--role', 'consumer');
    expect(Object.keys(alone.statusOf)).not.toContain('environment (API)');
    expect(alone.code).toBe(0);
  });

  test('for people it is a line for each check, with advice below, and a last line that counts', async () => {
    const env = { ...(await goodEnvironment()), JWT_SECRET: '' };
    const { stdout } = await command(scratch, ['doctor'], env);
    expect(stdout).toMatch(/^✔ Node\.js: \d/);
    expect(stdout).toMatch(
      /^✘ environment \(API\): [\s\S]*?JWT_SECRET is required[\s\S]*?\n {4}→ \/.*\/docs\/configuration\.md has every setting/m,
    );
    expect(stdout).toMatch(/\n1 broken, \d to look at\.\n$/);
  });

  // Without an installed RabbitMQ (RabbitMQ in Docker, for example) there is no server with users of its own.
  (findRabbitmq() ? test : test.skip)(
    'accepts the least rights of each role, and refuses one role with those of the other',
    async () => {
      await using server = await privateRabbitmq();
      const as = (user: 'functions' | 'consumer', role: 'api' | 'consumer') =>
        doctor({ RABBITMQ_URL: urlForRole(server.url, user) }, '--role', role);
      expect((await as('functions', 'api')).of('rights in RabbitMQ (API)')).toMatchObject({ status: 'ok' });
      expect((await as('consumer', 'consumer')).of('rights in RabbitMQ (consumer)')).toMatchObject({ status: 'ok' });
      expect((await as('consumer', 'api')).of('rights in RabbitMQ (API)')).toMatchObject({ status: 'warning' });
      expect((await as('functions', 'consumer')).of('rights in RabbitMQ (consumer)')).toMatchObject({
        status: 'broken',
        found: expect.stringContaining('ACCESS_REFUSED'),
        todo: expect.stringContaining('docs/deploy.md'),
      });
    },
  );

  test.each([
    ['22.22.2', 'ok'],
    ['22.23.0', 'ok'],
    ['24.15.0', 'ok'],
    ['26.1.0', 'ok'],
    ['28.0.0', 'ok'],
    ['22.22.1', 'broken'],
    ['24.14.9', 'broken'],
    ['25.9.0', 'broken'],
    ['20.19.0', 'broken'],
  ])('Node.js %s is %s', (version, status) => {
    expect(checkNode(version)).toMatchObject({ status });
  });

  test('says how many open files are needed where there are too few', () => {
    const config = loadConfig({ JWT_SECRET: 'a secret of more than 32 characters' }, 'functions');
    expect(checkOpenFiles('functions', config, 1_024)).toMatchObject({
      status: 'warning',
      todo: 'Raise ulimit -n to 10170, or lower MAX_CONNECTIONS.',
    });
    expect(checkOpenFiles('consumer', config, 1_024)).toMatchObject({ status: 'ok' });
  });
});
