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

const answeredAll = (text: string) => eventually(`the answer ${text}`, () => answered === text);

test('what is sent arrives, delayed by so much, in order, also when the delay ends meanwhile', async () => {
  proxy.delay(150);
  const sentAt = performance.now();
  client.write('a');
  await eventually('a is seen', () => seen === 'a');
  expect(performance.now() - sentAt).toBeGreaterThanOrEqual(149);
  await answeredAll('a');
  expect(performance.now() - sentAt).toBeGreaterThanOrEqual(298);
  client.write('b');
  await pause(20);
  proxy.delay(0);
  client.write('c');
  await answeredAll('abc');
  expect(seen).toBe('abc');
});

test('a half-frozen proxy passes one direction only, and the rest after the thaw', async () => {
  proxy.freeze('from-server');
  client.write('a');
  await eventually('a is seen', () => seen === 'a');
  await pause(50);
  expect(answered).toBe('');
  proxy.thaw();
  await answeredAll('a');

  proxy.freeze('to-server');
  client.write('b');
  await pause(50);
  expect(seen).toBe('a');
  proxy.thaw();
  await answeredAll('ab');
});

test('a cut proxy ends its connections, refuses new ones, and takes them again when restored', async () => {
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
  await answeredAll('again');
});

test('much data passes whole, though the reader is slow', async () => {
  const size = 20_000_000;
  let received = 0;
  client.removeAllListeners('data');
  client.on('data', (bytes) => {
    received += bytes.length;
    client.pause();
    setTimeout(() => client.resume(), 1);
  });
  client.write(Buffer.alloc(size, 'x'));
  await eventually('all came back', () => received === size, 25_000);
});
