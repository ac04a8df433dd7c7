/** The WebSocket API of serverless.yml, as the real serverless-offline serves it. */
import { describe, expect, jest, test } from '@jest/globals';
import { startApi } from '../http/api-process.ts';
import { uniqueName } from '../support/servers.ts';
import { eventually, openWorld, serversOf } from '../support/world.ts';
import { openSocket } from './socket-client.ts';

/** Processes start slowly on a busy machine. */
jest.setTimeout(120_000);

const serverless = 'node_modules/serverless/bin/serverless.js';
const pingMs = 1_000;

describe('serverless', () => {
  test('offline opens sessions, answers messages, and ends the session with the connection', async () => {
    await using world = await openWorld();
    world.work(async ({ body }) => ({ kind: 'done', result: body }));
    const environment = { ...serversOf(world), WEBSOCKET_PING_MS: String(pingMs) };
    const api = await startApi([serverless, 'offline', 'start'], environment);
    const who = { username: uniqueName('user'), password: 'correct horse' };
    const { body } = await api.call({ call: 'POST /register', body: who });
    const user = { userId: String(body.userId), sessionId: '', lane: 0 };
    const token = String((await api.call({ call: 'POST /login', body: who })).body.token);
    const connect = (offered = token) => openSocket(api.websocketPort, offered, { path: '/' });

    await expect(connect('x.y.z')).rejects.toThrow(/^401/);
    const socket = await connect();
    expect(await socket.ask('enqueue', { request: { amount: 5 } })).toMatchObject({ ok: { seq: 1 } });
    expect(await socket.ask('cancel', { seq: 7 })).toMatchObject({ problem: { code: 'request-not-found' } });
    expect(await socket.ask('subscribe')).toMatchObject({ problem: { code: 'no-events', status: 501 } });
    socket.sendText('{');
    await eventually('a problem', () => socket.frames.find(({ problem }) => problem?.code === 'invalid-json'));
    expect(await world.settled(user, 1)).toMatchObject({ status: 'done' });
    const openedAt = performance.now();
    while (performance.now() - openedAt < 4 * pingMs) {
      expect(await socket.ask('ping')).toMatchObject({ ok: {} });
      await new Promise((resolve) => setTimeout(resolve, pingMs / 2));
    }
    expect(await world.queue(user)).toMatchObject({ state: 'open' });
    socket.cut();
    const isGone = async () => (await world.queue(user))?.state === 'closed' && !(await world.userQueueExists(user));
    await eventually('the queue is gone', isGone);

    const silent = await connect();
    expect(await silent.ask('enqueue', { request: 2 })).toMatchObject({ ok: { seq: 2 } });
    expect(await world.settled(user, 2)).toMatchObject({ status: 'done' });
    await eventually('the session has expired, and the queue is gone', isGone);
    expect(await silent.ask('ping')).toMatchObject({ problem: { code: 'session-ended' } });
    await silent.close();
    expect((await api.end()).output).not.toContain(token);
  });
});
