/** A client that does not read its stream keeps little in memory, is disconnected, and goes on where it was. */
import { connect } from 'node:net';
import { expect, jest, test } from '@jest/globals';
import { createApiKey } from '../../lib/accounts/api-keys.ts';
import { userIdOf } from '../../lib/references.ts';
import { acceptRequests } from '../../lib/requests/accept.ts';
import { startApi } from '../http/api-process.ts';
import { eventually, openWorld, serversOf } from '../support/world.ts';
import { connectTo } from './support/sse-client.ts';

jest.setTimeout(180_000);

/** Together more than the buffers of both ends hold. */
const requests = 1_500;
const result = JSON.stringify('x'.repeat(16_000));

test('a slow reader is disconnected after 10 s, while the others hear of everything', async () => {
  await using world = await openWorld();
  world.work(async () => ({ kind: 'done', result }));
  const secret = String((await createApiKey({ name: 'reader', scopes: ['read'] }, world.stores))?.secret);
  const userId = userIdOf('ada');
  for (let first = 0; first < requests; first += 100) {
    const some = Array.from({ length: 100 }, () => ({ body: '1' }));
    await acceptRequests({ userId, reference: 'ada', requests: some }, world.deps);
  }
  const ofUser = async () => (await world.stores.userQueues.get([userId]))[0];
  await eventually('all are settled', async () => (await ofUser())?.settled === requests, 120_000);

  const api = await startApi(['functions/api.ts'], { ...serversOf(world), AUTO_MIGRATE: '1' });
  const url = `http://127.0.0.1:${api.port}/users/ada/events`;
  const socket = connect({ port: api.port, host: '127.0.0.1' }).pause();
  const head = 'GET /users/ada/events?after=0 HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n';
  socket.write(`${head}authorization: Bearer ${secret}\r\n\r\n`);
  const startedAt = performance.now();
  const others = await connectTo(`${url}?after=0`, { authorization: `Bearer ${secret}` });
  const seqs: number[] = [];
  for await (const { type, data } of others.events()) {
    if (type === 'settled') seqs.push((data.request as { seq: number }).seq);
    if (seqs.length === requests) break;
  }
  expect(seqs).toEqual(Array.from({ length: requests }, (_, index) => index + 1));
  others.close();

  const { promise: ended, resolve } = Promise.withResolvers<void>();
  socket.once('close', () => resolve()).on('error', () => undefined);
  // Only a socket that is read notices its end; what the kernels hold comes first.
  await new Promise((wait) => setTimeout(wait, 12_000));
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  socket.resume();
  await ended;
  const waitedMs = performance.now() - startedAt;
  const last = [...received.matchAll(/^id: (\S+)\nevent: \S+\ndata: .*\n\n/gm)].at(-1)?.[1] ?? '0';
  expect(Number(last.split('.')[0])).toBeLessThan(requests);
  const later = await connectTo(`${url}?after=${last}`, { authorization: `Bearer ${secret}` });
  for await (const { id } of later.events()) {
    expect(id).toBe(String(Number(last) + 1));
    break;
  }
  later.close();
  process.stdout.write(`disconnected within ${Math.round(waitedMs)} ms, ${received.length} bytes in the buffers\n`);
  expect(await api.end()).toMatchObject({ status: 0 });
});
