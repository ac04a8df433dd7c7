import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import { eventually } from './world.ts';

let server: Server;
let proxy: TcpProxy;
let client: Socket;
let seen = '';
let answered = '';

beforeEach(async () => {
  seen = '';
  answered = '';
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      seen += bytes.toString();
      socket.write(bytes);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  proxy = await startTcpProxy('127.0.0.1', typeof address === 'object' ? (address?.port ?? 0) : 0);
  client = connect(proxy.port, '127.0.0.1');
  client.on('error', () => undefined);
  client.on('data', (bytes) => {
    answered += bytes.toString();
  });
  await once(client, 'connect');
});

afterEach(async () => {
  client.destroy();
  await proxy.close();
  server.close();
});

const answerIs = (text: string) => eventually(`the answer ${text}`, () => answered === text);

test('a delayed proxy forwards everything late and in order, also when the delay ends meanwhile', async () => {
  proxy.delay(150);
  const sentAt = performance.now();
  client.write('a');
  await eventually('a is seen', () => seen === 'a');
  expect(performance.now() - sentAt).toBeGreaterThanOrEqual(149);
  await answerIs('a');
  expect(performance.now() - sentAt).toBeGreaterThanOrEqual(298);
  client.write('b');
  await pause(20);
  proxy.delay(0);
  client.write('c');
  await answerIs('abc');
  expect(seen).toBe('abc');
});

test('a half-frozen proxy forwards one direction only, and the other one after the thaw', async () => {
  proxy.freeze('from-server');
  client.write('a');
  await eventually('a is seen', () => seen === 'a');
  await pause(50);
  expect(answered).toBe('');
  proxy.thaw();
  await answerIs('a');

  proxy.freeze('to-server');
  client.write('b');
  await pause(50);
  expect(seen).toBe('a');
  proxy.thaw();
  await answerIs('ab');
});

test('a cut proxy closes its connections, refuses new ones, and accepts them again when it is restored', async () => {
  const ended = once(client, 'close');
  await proxy.cut();
  await ended;
  const refused = connect(proxy.port, '127.0.0.1');
  expect(await once(refused, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }]);
  await proxy.restore();
  client = connect(proxy.port, '127.0.0.1');
  client.on('data', (bytes) => {
    answered += bytes.toString();
  });
  client.write('again');
  await answerIs('again');
});

test('20 MB arrive complete although the reader is slow', async () => {
  const size = 20_000_000;
  let received = 0;
  client.removeAllListeners('data');
  client.on('data', (bytes) => {
    received += bytes.length;
    client.pause();
    setTimeout(() => client.resume(), 1);
  });
  client.write(Buffer.alloc(size, 'x'));
  await eventually('all bytes came back', () => received === size, 25_000);
});
