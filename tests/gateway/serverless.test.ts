/** serverless.yml, as the real serverless-offline serves it and as the real `serverless package` packages it. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, jest, test } from '@jest/globals';
import { createApiKey } from '../../lib/accounts/api-keys.ts';
import { readRoutes } from '../../lib/gateway/routes.ts';
import { userIdOf } from '../../lib/references.ts';
import { openStores } from '../../lib/store/stores.ts';
import { startApi } from '../http/api-process.ts';
import { mongodbUrl, uniqueName } from '../support/servers.ts';
import { eventually } from '../support/world.ts';

/** Processes start slowly on a busy machine. */
jest.setTimeout(120_000);

const serverless = 'node_modules/serverless/bin/serverless.js';

describe('serverless', () => {
  test('offline serves health and registration, decodes references once, and logs no secret', async () => {
    const MONGODB_URL = mongodbUrl(uniqueName('offline'));
    const api = await startApi([serverless, 'offline', 'start'], { MONGODB_URL });
    const body = { username: uniqueName('user'), password: 'correct horse' };
    // At first it is creating the indexes.
    const isHealthy = async () => (await api.call({ call: 'GET /health' })).status === 200;
    await eventually('the API is healthy', isHealthy, 60_000);
    expect(await api.call({ call: 'POST /register', body })).toMatchObject({
      status: 201,
      body: { username: body.username },
    });
    expect(await api.call({ call: 'POST /login', text: `{"password":"${body.password}` })).toMatchObject({
      status: 400,
    });
    const stores = openStores({ mongodbUrl: MONGODB_URL, storeTimeoutMs: 10_000, autoMigrate: 1 });
    const secret = String((await createApiKey({ name: 'shop', scopes: ['enqueue'] }, stores))?.secret);
    for (const reference of ['auth0|6571', 'ada@example.com', '17', 'a/b', 'ä', '%2F', 'a b', 'a+b', '?a=b#c']) {
      const call = `POST /users/${encodeURIComponent(reference)}/enqueue`;
      expect([reference, await api.call({ call, body: { request: 1 }, token: secret })]).toMatchObject([
        reference,
        { status: 202 },
      ]);
      const [queue] = await stores.userQueues.get([userIdOf(reference)]);
      expect([reference, queue]).toMatchObject([reference, { user: reference, accepted: 1 }]);
    }
    await stores.drop();
    await stores.close();
    const { output } = await api.end();
    expect(output).not.toContain(body.password);
    expect(output).not.toContain(secret.slice(16));
  });

  test('package makes every function from one image, named by its digest, without the network', async () => {
    const image = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/lanekeeper@sha256:${'a'.repeat(64)}`;
    const folder = await mkdtemp(join(tmpdir(), 'lanekeeper-package-'));
    const env = { ...process.env, IMAGE_URI: image, JWT_SECRET_ID: 'lanekeeper/jwt' };
    await promisify(execFile)(process.execPath, [serverless, 'package', '--package', folder], { env });
    const template = JSON.parse(await readFile(join(folder, 'cloudformation-template-update-stack.json'), 'utf8'));
    await rm(folder, { recursive: true });
    type Resource = { Type: string; Properties: { Code?: object; ImageConfig?: { Command: string[] } } };
    expect(JSON.stringify(template)).toContain(':secret:lanekeeper/jwt-??????"');
    expect(JSON.stringify(template)).not.toMatch(/:secret:[^"]*\*/);
    const functions = Object.values<Resource>(template.Resources).filter(
      ({ Type }) => Type === 'AWS::Lambda::Function',
    );
    for (const { Properties } of functions) expect(Properties.Code).toEqual({ ImageUri: image });
    const commands = functions.map(({ Properties }) => Properties.ImageConfig?.Command);
    const handlers = new Set((await readRoutes()).map(({ file, name }) => `${file}.${name}`));
    expect(commands).toEqual([...handlers].map((one) => [one]));
  });
});
