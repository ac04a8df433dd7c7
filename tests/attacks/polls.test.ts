/** What calls that wait may cost the API [M3], with a process of its own. */
import { afterEach, expect, jest, test } from '@jest/globals';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import { uniqueName } from '../support/servers.ts';
import { eventually } from '../support/world.ts';
import { openConnection } from './raw-connection.ts';

jest.setTimeout(120_000);

const perSession = 30;

let api: ApiProcess;
let who: { username: string; password: string };
let token: string;

const start = async (caps: Record<string, string>) => {
  api = await startApi(['functions/api.ts'], caps);
  ({ who, token } = await newUser());
};
afterEach(() => api?.end());

const logIn = async (account: typeof who) =>
  String((await api.call({ call: 'POST /login', body: account })).body.token);

/** A user whose only request waits for a consumer, which is not there. */
const newUser = async () => {
  const account = { username: uniqueName('user'), password: 'correct horse' };
  await api.call({ call: 'POST /register', body: account });
  const session = await logIn(account);
  await api.call({ call: 'POST /enqueue', body: { request: 1 }, token: session });
  return { who: account, token: session };
};

const asking = (seconds: number, session = token) =>
  `GET /requests/1?wait=${seconds} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${session}\r\n\r\n`;

/** As many calls as may wait, for 20 s, and one more: that one is refused with `status`. Each has a connection of its own. */
const fill = async (count: number, status: number, session = token) => {
  const all = await Promise.all(Array.from({ length: count + 1 }, () => openConnection(api.port)));
  for (const connection of all) connection.send(asking(20, session));
  const refused = await eventually('one is refused', () => all.find(({ received }) => received() !== ''));
  expect(refused.received()).toMatch(new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*retry-after: 1\r`, 'i'));
  refused.end();
  return all.filter((connection) => connection !== refused);
};

const look = (wait: string, session = token) => api.call({ call: `GET /requests/1?wait=${wait}`, token: session });

test('clients that hang up leave no call running, and a session has a limit until then', async () => {
  await start({ MAX_SESSION_POLLS: String(perSession) });
  const clients = await fill(perSession, 429);
  expect(await look('1')).toMatchObject({ status: 429, body: { code: 'too-many-polls' } });
  expect(await look('0')).toMatchObject({ status: 200 });
  for (const client of clients) client.end();
  // As many calls as hung up find a place: none of those runs any more.
  const allFit = async () => {
    const answers = await Promise.all(clients.map(() => look('0.2')));
    return answers.every(({ status }) => status === 200);
  };
  await eventually('all places are free', allFit, 15_000);
  const { output } = await api.end();
  expect(output.split('\n').filter((line) => line.includes('"code":"caller-gone"'))).toHaveLength(perSession);
});

test('calls sent ahead on one connection run one after the other, and end with it', async () => {
  await start({ MAX_SESSION_POLLS: String(perSession) });
  const connection = await openConnection(api.port);
  connection.send(asking(5).repeat(40));
  await eventually('the first is answered', () => connection.received().includes('200 OK'), 20_000);
  const others = await Promise.all(Array.from({ length: perSession - 1 }, () => look('0.2')));
  expect(others.map(({ status }) => status)).toEqual(others.map(() => 200));
  connection.end();
  const { output } = await api.end();
  const lines = output.split('\n').filter((line) => line.includes('"path":"/requests/1"'));
  expect(lines.length - others.length).toBeLessThan(5);
});

test('a connection that sends ever more calls ahead is closed', async () => {
  await start({ MAX_SESSION_POLLS: String(perSession) });
  const connection = await openConnection(api.port);
  connection.send(asking(20).repeat(500));
  expect(await connection.closed).toBeLessThan(15_000);
});

test('a user has a limit whatever the number of sessions, and the process has one', async () => {
  await start({ MAX_SESSION_POLLS: '3', MAX_USER_POLLS: '4', MAX_POLLS: '5' });
  const clients = await fill(3, 429);
  clients.push(...(await fill(1, 429, await logIn(who))));
  const other = await newUser();
  const others = await fill(2, 503, other.token);
  expect(await look('1', other.token)).toMatchObject({ status: 503, body: { code: 'busy' } });
  const answers = () => clients.map(({ received }) => received()).filter((answer) => answer !== '');
  await eventually('the user with the most calls has made room', () => answers().length > 0);
  expect(answers()).toEqual([expect.stringMatching(/^HTTP\/1.1 200 /)]);
  for (const client of [...clients, ...others]) client.end();
  await eventually('there is room again', async () => (await look('0.001', other.token)).status === 200);
});
