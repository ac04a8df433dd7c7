/** How the API stops under load [M4, E4], as a process of its own. */
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, jest, test } from '@jest/globals';
import { openStores } from '../../lib/store/stores.ts';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import { mongodbUrl, uniqueName } from '../support/servers.ts';
import { eventually } from '../support/world.ts';
import { openConnection } from './raw-connection.ts';

jest.setTimeout(120_000);

const connections = 20;

const logIn = async (api: ApiProcess) => {
  const who = { username: uniqueName('user'), password: 'correct horse' };
  const { body: account } = await api.call({ call: 'POST /register', body: who });
  const { body: session } = await api.call({ call: 'POST /login', body: who });
  return { userId: String(account.userId), token: String(session.token) };
};

const readStores = (url: string) => {
  const stores = openStores({ mongodbUrl: url, storeTimeoutMs: 10_000 });
  return {
    ...stores,
    async [Symbol.asyncDispose]() {
      await stores.drop();
      await stores.close();
    },
  };
};

/** Enqueues on one connection until it is refused or cut off. Resolves to the keys of the calls that were answered with 202. */
const enqueueUntilRefused = async (port: number, token: string, name: string): Promise<string[]> => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const enqueue = (key: string) =>
    new Promise<number | undefined>((resolve) => {
      const headers = { authorization: `Bearer ${token}`, 'idempotency-key': key };
      request({ port, agent, method: 'POST', path: '/enqueue', headers }, async (response) => {
        const whole = await text(response).catch(() => undefined);
        resolve(whole === undefined ? undefined : response.statusCode);
      })
        .once('error', () => resolve(undefined))
        .end('{"request":1}');
    });
  const accepted: string[] = [];
  for (let count = 0; ; count += 1) {
    const key = `${name}-${count}`;
    if ((await enqueue(key)) !== 202) break;
    accepted.push(key);
  }
  agent.destroy();
  return accepted;
};

test('at SIGTERM under busy connections no request is recorded whose caller has no answer', async () => {
  const url = mongodbUrl(uniqueName('drain'));
  const api = await startApi(['functions/api.ts'], { GRACE_MS: '60000', MONGODB_URL: url });
  await using stores = readStores(url);
  const { userId, token } = await logIn(api);
  const busy = Array.from({ length: connections }, (_, index) => enqueueUntilRefused(api.port, token, `c${index}`));
  const accepted = async () => (await stores.userQueues.get([userId]))[0]?.accepted ?? 0;
  await eventually('each has enqueued some', async () => (await accepted()) >= 5 * connections, 30_000);
  const endedAt = performance.now();
  const ended = api.end();
  const answered = (await Promise.all(busy)).flat();
  const answeredAt = performance.now();
  expect(await ended).toMatchObject({ status: 0 });
  expect(performance.now() - endedAt).toBeLessThan(30_000);
  expect(performance.now() - answeredAt).toBeLessThan(15_000);
  const recorded: string[] = [];
  for (let after = 0; ; ) {
    const page = await stores.ledger.page(userId, { after, limit: 100, maxChars: 1_000_000 });
    recorded.push(...page.map(({ key }) => String(key)));
    if (page.length < 100) break;
    after = page.at(-1)?.seq ?? 0;
  }
  expect(recorded.toSorted()).toEqual(answered.toSorted());
});

test('answers to calls that were sent ahead are not lost at SIGTERM: what is not answered was not done', async () => {
  const url = mongodbUrl(uniqueName('drain'));
  const api = await startApi(['functions/api.ts'], { GRACE_MS: '60000', MONGODB_URL: url });
  await using stores = readStores(url);
  const { userId, token } = await logIn(api);
  await api.call({ call: 'POST /enqueue', body: { request: 1 }, token });
  const connection = await openConnection(api.port);
  const call = (line: string, body = '') =>
    `${line} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  connection.send(call('GET /requests/1?wait=2') + call('POST /enqueue', '{"request":2}').repeat(5));
  await api.call({ call: 'GET /queue', token });
  await api.end();
  await connection.closed;
  const accepted = connection.received().match(/202 Accepted/g)?.length ?? 0;
  const [queue] = await stores.userQueues.get([userId]);
  expect(queue?.accepted).toBe(1 + accepted);
});

test('connections without a call do not delay the exit', async () => {
  const api = await startApi(['functions/api.ts'], { GRACE_MS: '60000' });
  const silent = await openConnection(api.port);
  const half = await openConnection(api.port);
  half.send('GET /queue HTTP/1.1\r\nhost:');
  const kept = await openConnection(api.port);
  kept.send('GET /health HTTP/1.1\r\nhost: x\r\n\r\n');
  await eventually('it is answered', () => kept.received() !== '');
  const endedAt = performance.now();
  expect(await api.end()).toMatchObject({ status: 0 });
  expect(performance.now() - endedAt).toBeLessThan(8_000);
  await Promise.all([silent.closed, half.closed, kept.closed]);
});
