/** The WebSocket API of serverless.yml, as the real serverless-offline serves it. */
import { env } from 'node:process';
import { describe, expect, jest, test } from '@jest/globals';
import getPort from 'get-port';
import { openPoster } from '../../lib/compose/poster.ts';
import { createLogger } from '../../lib/log.ts';
import { startApi } from '../http/api-process.ts';
import { uniqueName } from '../support/servers.ts';
import { eventually, openWorld, serversOf, silentObserver } from '../support/world.ts';
import { openSocket } from './socket-client.ts';

/** Processes start slowly on a busy machine. */
jest.setTimeout(120_000);

const serverless = 'node_modules/serverless/bin/serverless.js';
const pingMs = 1_000;

describe('serverless', () => {
  test('offline opens sessions, answers messages, and ends the session with the connection', async () => {
    await using world = await openWorld();
    const websocketPort = await getPort({ host: '127.0.0.1' });
    const endpoint = `http://127.0.0.1:${websocketPort}`;
    Object.assign(env, { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
    const poster = await openPoster({ ...world.config, websocketEndpoint: endpoint }, createLogger('silent'));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => poster?.close());
    world.work(async ({ body }) => ({ kind: 'done', result: body }), { observer: poster?.observe(silentObserver) });
    const environment = {
      ...{ ...serversOf(world), WEBSOCKET_PING_MS: String(pingMs) },
      ...{ WEBSOCKET_PORT: String(websocketPort), WEBSOCKET_ENDPOINT: endpoint },
    };
    const api = await startApi([serverless, 'offline', 'start'], environment);
    const who = { username: uniqueName('user'), password: 'correct horse' };
    const { body } = await api.call({ call: 'POST /register', body: who });
    const user = { userId: String(body.userId), sessionId: '', lane: 0 };
    const token = String((await api.call({ call: 'POST /login', body: who })).body.token);
    const connect = (offered = token) => openSocket(websocketPort, offered, { path: '/' });

    await expect(connect('x.y.z')).rejects.toThrow(/^401/);
    const socket = await connect();
    expect(await socket.ask('enqueue', { request: { amount: 5 } })).toMatchObject({ ok: { seq: 1 } });
    expect(await socket.ask('cancel', { seq: 7 })).toMatchObject({ problem: { code: 'request-not-found' } });
    expect(await socket.ask('subscribe', { after: '0' })).toMatchObject({ ok: {} });
    const settled = () =>
      socket
        .events()
        .filter(({ type }) => type === 'settled')
        .map(({ request }) => request?.result);
    await eventually('its event is posted', () => settled().length === 1);
    expect(await socket.ask('enqueue', { request: 'b' })).toMatchObject({ ok: { seq: 2 } });
    await eventually('the next one is too', () => settled().length === 2);
    expect(settled()).toEqual([{ amount: 5 }, 'b']);
    const noted = async () => (await world.stores.connections.subscribed([0, 1, 2, 3], 10))[0]?.subscription.after;
    const known = socket.events().findLast(({ id }) => id)?.id;
    await eventually('what it knows is noted', async () => (await noted()) === known);
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
    expect(await silent.ask('enqueue', { request: 2 })).toMatchObject({ ok: { seq: 3 } });
    expect(await world.settled(user, 3)).toMatchObject({ status: 'done' });
    await eventually('the session has expired, and the queue is gone', isGone);
    expect(await silent.ask('ping')).toMatchObject({ problem: { code: 'session-ended' } });
    await silent.close();
    expect((await api.end()).output).not.toContain(token);
  });
});
