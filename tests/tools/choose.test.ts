import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { choose, NoServerError, type Way } from '../../tools/services/choose.ts';
import { amqpAnswers, freePort, mongoAnswers, mongoIsOpen } from '../../tools/services/probe.ts';
import { addressesOf, namedInEnvironment } from '../../tools/services/shared-ways.ts';
import { waysToMongodb } from '../../tools/services/ways-to-mongodb.ts';
import { waysToRabbitmq } from '../../tools/services/ways-to-rabbitmq.ts';
import { mongodbUrl, rabbitmqUrl } from '../support/servers.ts';

const root = join(import.meta.dirname, '..', '..');

const way = (name: string, answer: Awaited<ReturnType<Way['find']>> | Error, asked: string[] = []): Way => ({
  name,
  async find() {
    asked.push(name);
    if (answer instanceof Error) throw answer;
    return answer;
  },
});

describe('which server is used', () => {
  test('the first way that leads to one, and none behind it is tried', async () => {
    const asked: string[] = [];
    const found = { url: 'amqp://b', label: 'b' };
    const choice = await choose(
      'RabbitMQ',
      [
        way('a', { refused: 'a is not there' }, asked),
        way('b', found, asked),
        way('c', { url: 'c', label: 'c' }, asked),
      ],
      '',
    );
    expect(choice).toEqual({ ...found, way: 'b', why: 'a is not there' });
    expect(asked).toEqual(['a', 'b']);
  });

  test('a way that fails counts as one that refuses, with its message', async () => {
    const choice = await choose('X', [way('a', new Error('broken')), way('b', { url: 'b', label: 'b' })], '');
    expect(choice.why).toBe('broken');
  });

  test('without any, the error lists every reason and says what to install', async () => {
    const choosing = choose('MongoDB', [way('a', { refused: 'no a' }), way('b', new Error('no b'))], 'Install it.');
    await expect(choosing).rejects.toThrow('No MongoDB:\n  - no a\n  - no b\nInstall it.');
  });

  test('the ways are tried in the order that the README gives', () => {
    const say = () => undefined;
    expect(waysToRabbitmq(root, {}, say).map(({ name }) => name)).toEqual([
      ...['environment', 'running', 'usual-port', 'compose', 'installed', 'apt'],
    ]);
    expect(waysToMongodb(root, {}).map(({ name }) => name)).toEqual([
      ...['environment', 'running', 'usual-port', 'compose', 'installed', 'download'],
      ...['named-standin', 'built-standin', 'wheel-standin'],
    ]);
  });

  test('a server named in the environment that does not answer is an error, and its password is not shown', async () => {
    const url = `amqp://someone:hunter22@127.0.0.1:${await freePort()}`;
    const choosing = choose(
      'RabbitMQ',
      [namedInEnvironment('RABBITMQ_URL', url, 0), way('b', { url: 'b', label: 'b' })],
      '',
    );
    const error = await choosing.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NoServerError);
    expect(String(error)).toContain('RABBITMQ_URL names amqp://someone:***@127.0.0.1');
    expect(String(error)).not.toContain('hunter22');
  });

  test.each([
    ['amqp://u:p@[::1]/vhost', [{ host: '::1', port: 5_672 }]],
    ['amqps://broker', [{ host: 'broker', port: 5_671 }]],
    [
      'mongodb://u:p@a:1,b/db?replicaSet=r',
      [
        { host: 'a', port: 1 },
        { host: 'b', port: 27_017 },
      ],
    ],
    ['mongodb+srv://cluster.example/db', []],
  ])('the hosts of %s are found', (url, addresses) => {
    expect(addressesOf(url)).toEqual(addresses);
  });
});

describe('a server answers', () => {
  test('when it speaks the protocol', async () => {
    expect(await amqpAnswers(addressesOf(rabbitmqUrl())[0]!)).toBe(true);
    const mongodb = addressesOf(mongodbUrl('admin'))[0]!;
    expect(await mongoAnswers(mongodb)).toBe(true);
    expect(await mongoIsOpen(mongodb)).toBe(true);
  });

  test('not when something else has the port, says nothing, or nobody listens', async () => {
    const http = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
    const mute = createTcpServer(() => undefined).listen(0, '127.0.0.1');
    await Promise.all([once(http, 'listening'), once(mute, 'listening')]);
    const ports = [http, mute].map((server) => (server.address() as AddressInfo).port);
    for (const port of [...ports, await freePort()]) {
      expect(await amqpAnswers({ host: '127.0.0.1', port }, 200)).toBe(false);
      expect(await mongoAnswers({ host: '127.0.0.1', port }, 200)).toBe(false);
    }
    http.close();
    http.closeAllConnections();
    mute.close();
  });
});
