/** serverless.yml, as the real serverless-offline serves it. tests/infra has what is deployed of it. */
import { describe, expect, jest, test } from '@jest/globals';
import { createApiKey } from '../../lib/accounts/api-keys.ts';
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
});
