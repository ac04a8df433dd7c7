/** Clients that never read their answers must not fill the memory of the API. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import express from 'express';
import { boundAnswers } from '../../lib/gateway/unread-answers.ts';
import { eventually } from '../support/world.ts';

const mib = 1_048_576;
/** Far more than the buffers of the system take. */
const answerBytes = 24 * mib;

test('when unread answers exceed MAX_UNREAD_BYTES, those that wait longest are closed, and whoever reads is served', async () => {
  const app = express()
    .use(boundAnswers({ maxUnreadBytes: 60 * mib }))
    .use((_request, response) => void response.end(Buffer.alloc(answerBytes)));
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const count = promisify<number>(server.getConnections.bind(server));
  const clients = Array.from({ length: 8 }, () =>
    connect(port, '127.0.0.1')
      .on('error', () => undefined)
      .pause(),
  );
  for (const client of clients) client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await eventually('six of eight are closed', async () => (await count()) === 2);
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  expect((await answer.arrayBuffer()).byteLength).toBe(answerBytes);
  for (const client of clients) client.destroy();
  server.closeAllConnections();
  server.close();
});
