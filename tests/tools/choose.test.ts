import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { root } from '../../tools/run-tool.ts';
import { choose, NoServerError, type Way } from '../../tools/services/choose.ts';
import { freePort, probeMongodb, probeRabbitmq } from '../../tools/services/probe.ts';
import { named, waysTo } from '../../tools/services/ways.ts';
import { mongodbUrl, rabbitmqUrl } from '../support/servers.ts';

const way = (name: string, answer: Awaited<ReturnType<Way['find']>> | Error, asked: string[] = []): Way => ({
  name,
  async find() {
    asked.push(name);
    if (answer instanceof Error) throw answer;
    return answer;
  },
});

describe('which server is used', () => {
  test('the first way that leads to one; no later way is tried', async () => {
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
    expect(choice).toEqual({ ...found, way: 'b', why: ['a is not there'] });
    expect(asked).toEqual(['a', 'b']);
  });

  test('a failed way counts as a refusal, with its message', async () => {
    const choice = await choose('X', [way('a', new Error('broken')), way('b', { url: 'b', label: 'b' })], '');
    expect(choice.why).toEqual(['broken']);
  });

  test('of a failed command the reason is the last line that it printed', async () => {
    const script = { name: 'a', find: () => execa('sh', ['-c', 'echo first >&2; echo last >&2; exit 3']) as never };
    const choice = await choose('X', [script, way('b', { url: 'b', label: 'b' })], '');
    expect(choice.why[0]).toMatch(/^sh -c .*: last$/);
  });

  test('of a command that took too long the reason is its time limit', async () => {
    const script = { name: 'a', find: () => execa('sleep', ['60'], { timeout: 50 }) as never };
    const choice = await choose('X', [script, way('b', { url: 'b', label: 'b' })], '');
    expect(choice.why[0]).toMatch(/timed out after 50 milliseconds/);
  });

  test('when every way refuses, the error lists every reason and says what to install', async () => {
    const choosing = choose('MongoDB', [way('a', { refused: 'no a' }), way('b', new Error('no b'))], 'Install it.');
    await expect(choosing).rejects.toThrow('No MongoDB:\n  - no a\n  - no b\nInstall it.');
  });

  test('the ways are tried in the documented order', () => {
    const search = { root, env: {}, say: () => undefined };
    expect(waysTo('rabbitmq', search).map(({ name }) => name)).toEqual([
      ...['environment', 'running', 'usual-port', 'compose', 'installed', 'apt'],
    ]);
    expect(waysTo('mongodb', search).map(({ name }) => name)).toEqual([
      ...['environment', 'running', 'usual-port', 'compose', 'installed', 'download'],
      ...['named', 'built', 'wheel'],
    ]);
  });

  test.each([
    ['rabbitmq', 'RABBITMQ_URL', 'amqp'],
    ['mongodb', 'MONGODB_URL', 'mongodb'],
  ] as const)(
    'a named %s that does not answer is an error, and its password is not shown',
    async (server, name, scheme) => {
      const url = `${scheme}://someone:hunter22@127.0.0.1:${await freePort()}`;
      const choosing = choose('X', [named(server, url, 0), way('b', { url: 'b', label: 'b' })], '');
      const error = await choosing.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(NoServerError);
      expect(String(error)).toContain(`${name} names ${scheme}://someone:***@127.0.0.1`);
      expect(String(error)).toContain('ECONNREFUSED');
      expect(String(error)).not.toContain('hunter22');
    },
  );

  test('a named server that does not accept the login is an error with the reason', async () => {
    const url = Object.assign(new URL(rabbitmqUrl()), { password: 'hunter22' }).href;
    const error = await choose('RabbitMQ', [named('rabbitmq', url, 0)], '').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NoServerError);
    expect(String(error)).toContain('ACCESS_REFUSED');
    expect(String(error)).not.toContain('hunter22');
  });
});

describe('a server can be used', () => {
  test('when its driver can log in', async () => {
    expect(await probeRabbitmq(rabbitmqUrl())).toBeUndefined();
    expect(await probeMongodb(mongodbUrl('admin'))).toBeUndefined();
  });

  test('not when another server has the port, sends nothing, or nobody listens', async () => {
    const http = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
    const silent = createTcpServer((socket) => void socket.resume()).listen(0, '127.0.0.1');
    await Promise.all([once(http, 'listening'), once(silent, 'listening')]);
    const ports = [http, silent].map((server) => (server.address() as AddressInfo).port);
    for (const port of [...ports, await freePort()]) {
      expect(await probeRabbitmq(`amqp://127.0.0.1:${port}`)).toEqual(expect.any(String));
      expect(await probeMongodb(`mongodb://127.0.0.1:${port}`)).toEqual(expect.any(String));
    }
    http.close();
    http.closeAllConnections();
    silent.close();
  });
});
