/** Clients that never finish their bodies must not fill the memory of the API, nor keep out those that do. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import { uniqueName } from '../support/servers.ts';
import { eventually } from '../support/world.ts';
import { openConnection } from './raw-connection.ts';

jest.setTimeout(120_000);

const sentBytes = 200_000;
/** Room for some of them, and not for all. */
const count = 40;

let api: ApiProcess;
let token: string;
const who = { username: uniqueName('user'), password: 'correct horse' };
const logIn = async () => String((await api.call({ call: 'POST /login', body: who })).body.token);
beforeAll(async () => {
  api = await startApi(['functions/api.ts'], { MAX_UPLOAD_BYTES: '1048576' });
  await api.call({ call: 'POST /register', body: who });
  token = await logIn();
});
afterAll(() => api?.end());

const halfSend = async (line: string, bytes = sentBytes, declared = bytes + 1) => {
  const connection = await openConnection(api.port);
  connection.send(`${line} HTTP/1.1\r\nhost: x\r\ncontent-length: ${declared}\r\n\r\n`);
  connection.send('x'.repeat(bytes));
  return connection;
};

test('when unfinished bodies exceed MAX_UPLOAD_BYTES, the oldest are refused as busy, and whoever sends a whole body is served', async () => {
  const connections = await Promise.all(Array.from({ length: count }, () => halfSend('POST /enqueue')));
  const refused = await eventually('most of them are refused', async () => {
    const answered = connections.filter(({ received }) => received().includes('\r\n\r\n'));
    return answered.length >= count / 2 && answered;
  });
  for (const { received, closed } of refused) {
    expect(received()).toMatch(/^HTTP\/1.1 503 /);
    expect(received().toLowerCase()).toContain('\r\nretry-after: 1\r\n');
    expect(received().toLowerCase()).toContain('\r\nconnection: close\r\n');
    await closed;
    expect(received()).toContain('"code":"busy"');
  }
  const request = 'x'.repeat(250_000);
  expect(await api.call({ call: 'POST /enqueue', body: { request }, token })).toMatchObject({ status: 202 });
  for (const connection of connections) connection.end();
  for (let calls = 0; calls < 20; calls += 1) {
    expect(await api.call({ call: 'POST /enqueue', body: { request }, token })).toMatchObject({ status: 202 });
  }
});

test.each([
  ['POST /livez', 405],
  ['GET /livez', 200],
  ['POST /nowhere', 404],
  ['GET /requests/1', 401],
])('the body of %s is not waited for', async (line, status) => {
  const connection = await halfSend(line);
  await eventually('it is answered', async () => connection.received().startsWith(`HTTP/1.1 ${status} `));
  connection.end();
});

test('bodies that are sent ahead, behind a call that waits, count as well: the oldest connections are closed', async () => {
  const { body } = await api.call({ call: 'POST /enqueue', body: { request: 1 }, token });
  const sendAhead = async (ofSession: string) => {
    const connection = await openConnection(api.port);
    connection.send(
      `GET /requests/${body.seq}?wait=20 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ofSession}\r\n\r\n`,
    );
    connection.send(`POST /enqueue HTTP/1.1\r\nhost: x\r\ncontent-length: 60000\r\n\r\n${'x'.repeat(60_000)}`);
    return connection;
  };
  const sessions = await Promise.all([logIn(), logIn()]);
  // As many calls of a session may wait, and all their bodies are twice what there is room for.
  const ofBoth = sessions.flatMap((session) => Array<string>(18).fill(session));
  const connections = await Promise.all(ofBoth.map(sendAhead));
  let closed = 0;
  for (const connection of connections) void connection.closed.then(() => (closed += 1));
  await eventually('those without room are closed', () => closed >= 15, 60_000);
  expect(closed).toBeLessThan(connections.length);
  const request = 'x'.repeat(250_000);
  expect(await api.call({ call: 'POST /enqueue', body: { request }, token })).toMatchObject({ status: 202 });
  for (const connection of connections) connection.end();
});
