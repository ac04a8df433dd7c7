/** A processor, or what it reports or prints, must not give away how to reach our servers [M12, L7]. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { uniqueName } from '../support/servers.ts';
import { openSystem, type System } from '../system/system.ts';

jest.setTimeout(120_000);

const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-secrets-'));
const secret = 'a-secret-that-only-this-test-knows-0123456789';
let system: System;

const fileWith = (name: string, text: string): string => {
  writeFileSync(join(folder, name), `${text}\n`);
  return join(folder, name);
};

beforeAll(async () => {
  system = await openSystem({ JWT_SECRET: '', JWT_SECRET_FILE: fileWith('jwt', secret) });
  const { MONGODB_URL = '', RABBITMQ_URL = '' } = system.environment;
  const { logged } = system.consumer('reads-files', {
    MONGODB_URL: '',
    MONGODB_URL_FILE: fileWith('mongodb', MONGODB_URL),
    RABBITMQ_URL,
    WEBHOOK_SECRET: secret,
    PROCESSOR: fileURLToPath(new URL('./support/environment-processor.ts', import.meta.url)),
    GREETING: 'hello',
    WORKERS: '1',
  });
  await logged(({ msg }) => msg === 'consumer running');
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

test.each([['here'], ['isolated']])('a processor that runs %s sees no secret and no URL of a server', async (where) => {
  const user = await system.client(uniqueName('user'));
  const seq = await user.enqueue(where);
  const { status, result } = await user.get(`/requests/${seq}?wait=20`);
  expect({ status, result }).toMatchObject({
    status: 'done',
    result: { isolated: where === 'isolated', environment: { GREETING: 'hello' } },
  });
  const seen = JSON.stringify(result);
  expect(seen).not.toMatch(/MONGODB_URL|RABBITMQ_URL|JWT_SECRET|WEBHOOK_SECRET|amqp:|mongodb:/);
  expect(seen).not.toContain(secret);
});
