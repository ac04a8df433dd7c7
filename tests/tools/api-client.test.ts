import { expect, test } from '@jest/globals';
import { callApi } from '../../tools/api-client.ts';
import { freePort } from '../../tools/services/probe.ts';
import { startHttpServer } from '../support/http-server.ts';

test('an API may be below a path, such as the stage of an API Gateway', async () => {
  await using server = await startHttpServer(({ url }, response) => response.end(JSON.stringify({ url })));
  const asked = ['', '/', '/prod', '/prod/'].map((path) => callApi(server.url + path, 'GET /stuck?limit=1'));
  const urls = ['/stuck?limit=1', '/stuck?limit=1', '/prod/stuck?limit=1', '/prod/stuck?limit=1'];
  expect(await Promise.all(asked)).toEqual(urls.map((url) => ({ url })));
});

test('an API that does not answer is named with the cause, and what is no URL with an example', async () => {
  const port = await freePort();
  await expect(callApi(`http://127.0.0.1:${port}`, 'GET /livez')).rejects.toThrow(
    `http://127.0.0.1:${port} does not answer (connect ECONNREFUSED 127.0.0.1:${port}).`,
  );
  for (const wrong of ['localhost:3000', 'my api', 'ftp://example.com'])
    await expect(callApi(wrong, 'GET /livez')).rejects.toThrow(
      `"${wrong}" is not the URL of an API: it must be such as`,
    );
});
