/** What connections may cost the API [M4, M13, M14], with a process of its own. */
import { expect, jest, test } from '@jest/globals';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import { uniqueName } from '../support/servers.ts';
import { eventually } from '../support/world.ts';
import { openConnection } from './raw-connection.ts';

jest.setTimeout(120_000);

const head = (line: string, length: number) =>
  `${line} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n`;

const loggedIn = async (api: ApiProcess): Promise<string> => {
  const who = { username: uniqueName('user'), password: 'correct horse' };
  await api.call({ call: 'POST /register', body: who });
  return String((await api.call({ call: 'POST /login', body: who })).body.token);
};

const waitFor12Seconds = async (api: ApiProcess) => {
  const token = await loggedIn(api);
  await api.call({ call: 'POST /enqueue', body: { request: 1 }, token });
  return api.call({ call: 'GET /requests/1?wait=12', token });
};

// Each test has a process of its own, and they run at the same time: most of their time they wait.
test.concurrent('a connection is closed that says nothing, or sends its headers or its body slowly, and none whose call waits', async () => {
  const api = await startApi(['functions/api.ts']);
  const silent = await openConnection(api.port);
  const slowHead = await openConnection(api.port);
  slowHead.send('GET /queue HTTP/1.1\r\nhost: x\r\n');
  const slowBody = await openConnection(api.port);
  slowBody.send(`${head('POST /login', 1_000)}\r\n{`);
  const slow = setInterval(() => {
    slowHead.send('x-more: 1\r\n');
    slowBody.send(' ');
  }, 500);
  const waited = waitFor12Seconds(api);
  const [silentMs, headMs, bodyMs] = await Promise.all([silent.closed, slowHead.closed, slowBody.closed]);
  clearInterval(slow);
  expect(silentMs).toBeLessThan(25_000);
  expect(headMs).toBeLessThan(40_000);
  expect(bodyMs).toBeLessThan(60_000);
  expect(slowHead.received()).toMatch(/^HTTP\/1.1 408 /);
  expect(slowBody.received()).toMatch(/^HTTP\/1.1 408 /);
  expect(await waited).toMatchObject({ status: 200 });
  await api.end();
});

test.concurrent('a call with a wrong token is refused before its body is parsed', async () => {
  const api = await startApi(['functions/api.ts']);
  const answer = await api.call({ call: 'POST /enqueue', text: '{"no JSON', token: 'wrong' });
  expect(answer).toMatchObject({ status: 401, body: { code: 'invalid-token' } });
  // Without a token in the header it may be in the body, unless that is large.
  const noJson = (length: number) => api.call({ call: 'POST /enqueue', text: '{'.padEnd(length) });
  expect(await noJson(16_384)).toMatchObject({ status: 400, body: { code: 'invalid-json' } });
  expect(await noJson(16_385)).toMatchObject({
    status: 401,
    body: { code: 'missing-token', detail: expect.stringContaining('16384 bytes') },
  });
  await api.end();
});

test.concurrent('of more connections than MAX_CONNECTIONS idle ones are closed at once, and a new one is served', async () => {
  const api = await startApi(['functions/api.ts'], { MAX_CONNECTIONS: '5' });
  const connections = await Promise.all(Array.from({ length: 20 }, () => openConnection(api.port)));
  await eventually('most of them are closed', async () => {
    const states = await Promise.all(connections.map(({ closed }) => Promise.race([closed, 'open'])));
    return states.filter((state) => state === 'open').length <= 5;
  });
  for (const connection of connections) connection.end();
  expect(await eventually('it answers', () => api.call({ call: 'GET /health' }).catch(() => undefined))).toMatchObject({
    status: 200,
  });
  await api.end();
});

/** Linux has them all. */
const addressOf = (host: number) => (process.platform === 'linux' ? `127.0.0.${host}` : undefined);

test.concurrent('while idle connections of one address fill the gateway a newcomer is served, and no other address loses its connection', async () => {
  const api = await startApi(['functions/api.ts'], { MAX_CONNECTIONS: '50' });
  const use = async (connection: Awaited<ReturnType<typeof openConnection>>) => {
    const before = connection.received().length;
    connection.send('GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n');
    await eventually('it is answered', () => connection.received().length > before);
  };
  const open = async (host: number) => {
    const connection = await openConnection(api.port, addressOf(host));
    await use(connection);
    return connection;
  };
  const other = await open(2);
  const idle = await Promise.all(Array.from({ length: 60 }, () => openConnection(api.port, addressOf(3))));
  for (const connection of idle) connection.send('GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n');
  await eventually('the last ones are answered', () => idle.filter(({ received }) => received() !== '').length >= 45);
  const newcomers = await Promise.all(Array.from({ length: 10 }, (_, index) => open(10 + index)));
  if (process.platform === 'linux') for (const connection of [other, ...newcomers]) await use(connection);
  for (const connection of [other, ...idle, ...newcomers]) connection.end();
  await api.end();
});

test.concurrent('after SIGTERM a kept connection is closed with the answer that was under way, and no call is served any more', async () => {
  const api = await startApi(['functions/api.ts'], { GRACE_MS: '60000' });
  const token = await loggedIn(api);
  await api.call({ call: 'POST /enqueue', body: { request: 1 }, token });
  const waiting = await openConnection(api.port);
  waiting.send(`GET /requests/1?wait=10 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`);
  const kept = await openConnection(api.port);
  kept.send('GET /health HTTP/1.1\r\nhost: x\r\n\r\n');
  await eventually('the first answer is there', () => kept.received().includes('200 OK'));
  const other = await openConnection(api.port);
  other.send(`${head('POST /login', 2)}`);
  // It was sent after the others: they are under way when it is answered.
  await api.call({ call: 'GET /queue', token });
  const endedAt = performance.now();
  const ended = api.end();
  await kept.closed;
  other.send('\r\n{}');
  await Promise.all([waiting.closed, other.closed]);
  expect(waiting.received()).toMatch(/^HTTP\/1.1 200 [\s\S]*connection: close/i);
  expect(await ended).toMatchObject({ status: 0 });
  expect(performance.now() - endedAt).toBeLessThan(30_000);
});
