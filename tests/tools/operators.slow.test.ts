/** The commands of operators, as a person runs them, against a real API and against the servers themselves. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { RunRequest } from '../../lib/ports.ts';
import { userIdOf } from '../../lib/references.ts';
import { acceptRequest } from '../../lib/requests/accept.ts';
import { findStuck } from '../../lib/requests/stuck.ts';
import { asInDevelopment } from '../../tools/services/chosen.ts';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import { mongodbUrl, uniqueName } from '../support/servers.ts';
import { eventually, openWorld, type World } from '../support/world.ts';

/** Each command is a process of its own. */
jest.setTimeout(180_000);

const name = uniqueName('operators');
const environment = {
  MONGODB_URL: mongodbUrl(name),
  QUEUE_PREFIX: `${name}.`,
  LANES: '2',
  STUCK_AFTER_MS: '100',
};

let world: World;
let api: ApiProcess;
let key: string;

const runRequest: RunRequest = async ({ body, signal }) => {
  if (body.startsWith('"hang')) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  const error = { name: 'Error', message: 'the \u001b[31mprice\u001b[0m\nis missing' };
  if (body.startsWith('"fail')) return { kind: 'failed', error, reason: 'failed' };
  if (body.startsWith('"block')) return { kind: 'blocked', error, reason: 'failed' };
  return { kind: 'done', result: body };
};

type Ran = { status: number | null; out: string; err: string };

/** Without a terminal, as in a script. */
const lanekeeper = async (args: string[], env: Record<string, string> = {}): Promise<Ran> => {
  const child = spawn(process.execPath, ['tools/lanekeeper.ts', ...args], {
    env: {
      ...process.env,
      ...environment,
      LANEKEEPER_API: `http://127.0.0.1:${api.port}`,
      LANEKEEPER_KEY: key,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await ended, out, err };
};

/** What a command prints as JSON. */
const asJson = async (...args: string[]) => {
  const { status, out, err } = await lanekeeper([...args, '--json']);
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${err}`);
  return JSON.parse(out);
};

const enqueue = async (reference: string, ...requests: string[]): Promise<void> => {
  for (const request of requests) {
    const command = { userId: userIdOf(reference), reference, body: JSON.stringify(request) };
    await acceptRequest(command, world.deps);
  }
};

const statusIs = (reference: string, seq: number, ...wanted: string[]) =>
  eventually(
    `request ${seq} of ${reference} is ${wanted}`,
    async () => {
      const status = await world.stores.ledger.status({ userId: userIdOf(reference), seq });
      return status !== undefined && wanted.includes(status);
    },
    30_000,
  );

beforeAll(async () => {
  const config = { mongodbUrl: environment.MONGODB_URL, queuePrefix: environment.QUEUE_PREFIX, lanes: 2 };
  world = await openWorld({ ...config, stuckAfterMs: 100, sweepMs: 600_000 });
  world.work(runRequest);
  api = await startApi(['functions/api.ts'], environment);
  key = (await lanekeeper(['keys', 'create', 'admin', '--scopes', 'operate'])).out.trim();
});

afterAll(async () => {
  await api?.end();
  await world?.[Symbol.asyncDispose]();
});

test('a key is created, shown once, listed, used with one call, and revoked at once', async () => {
  const create = ['keys', 'create', 'shop', '--scopes', 'read,enqueue', '--expires', '90d', '--rate', '50'];
  const { out, err } = await lanekeeper(create);
  expect(out).toMatch(/^lk_[0-9a-f]{12}_[0-9a-f]{64}\n$/);
  expect(err).toContain('only time');
  const enqueueFor = (user: string) =>
    api.call({ call: `POST /users/${encodeURIComponent(user)}/enqueue`, body: { request: 1 }, token: out.trim() });
  expect(await enqueueFor('auth0|6571')).toMatchObject({ status: 202, body: { seq: 1 } });

  const again = await lanekeeper(create);
  expect(again).toMatchObject({ status: 1, out: '', err: expect.stringContaining('There is a key shop already') });
  const { keys } = await asJson('keys', 'list');
  expect(keys).toEqual([
    expect.objectContaining({ name: 'admin', scopes: ['operate'] }),
    {
      id: out.slice(3, 15),
      name: 'shop',
      scopes: ['enqueue', 'read'],
      createdAt: expect.any(String),
      expiresAt: expect.any(String),
      ratePerSecond: 50,
      lastUsedAt: expect.any(String),
    },
  ]);
  const days = (Date.parse(keys[1].expiresAt) - Date.parse(keys[1].createdAt)) / 86_400_000;
  expect(days).toBeCloseTo(90, 1);
  const table = (await lanekeeper(['keys', 'list'])).out;
  expect(table).toMatch(/^NAME +ID +SCOPES +RATE +EXPIRES +LAST USED$/m);
  expect(table).toMatch(/^shop +[0-9a-f]{12} +enqueue,read +50\/s +in 89 d +\d+ (ms|s|min) ago$/m);

  expect((await lanekeeper(['keys', 'revoke', 'shop'])).out).toContain('The key shop (');
  expect(await enqueueFor('auth0|6571')).toMatchObject({ status: 401, body: { code: 'invalid-key' } });
  expect(await lanekeeper(['keys', 'revoke', 'shop'])).toMatchObject({
    status: 1,
    err: expect.stringContaining('no key shop'),
  });
});

test('keys create refuses what makes no sense, and says why', async () => {
  const wrong: [args: string[], message: string][] = [
    [['create', 'x', '--scopes', 'read,all'], '"all" is none of enqueue, read, operate'],
    [['create', 'x'], "required option '--scopes <list>' not specified"],
    [['create', 'x', '--scopes', 'read', '--expires', '3 weeks'], 'such as 30m, 12h or 90d'],
    [['create', 'x', '--scopes', 'read', '--rate', '0'], 'from 1 to 100000'],
    [['create', '0123456789ab', '--scopes', 'read'], 'must not look like the id'],
  ];
  const ran = await Promise.all(wrong.map(([args]) => lanekeeper(['keys', ...args])));
  const refused = wrong.map(([, message]) => ({ status: 1, out: '', err: expect.stringContaining(message) }));
  expect(ran).toEqual(refused);
});

test('stuck users and dead letters are listed and decided', async () => {
  const [blocked, failed] = [uniqueName('blocked/1'), uniqueName('failed 1')];
  await enqueue(blocked, 'block', 'b');
  await enqueue(failed, 'fail a', 'fail b');
  await statusIs(blocked, 1, 'blocked');
  await statusIs(failed, 2, 'failed');
  await eventually('the user counts as stuck', async () =>
    (await findStuck(10, world.deps)).some(({ user }) => user === blocked),
  );
  const [stuck, listed, letters, all] = await Promise.all([
    lanekeeper(['stuck']),
    lanekeeper(['dead-letters', 'list', failed]),
    asJson('dead-letters', 'list', blocked),
    asJson('dead-letters'),
  ]);
  expect(stuck.out).toMatch(/^USER +SEQ +REASON +SINCE +LANE$/m);
  expect(stuck.out).toMatch(new RegExp(`^${blocked} +1 +blocked +\\d+ (ms|s|min)`, 'm'));
  const lines = listed.out.trim().split('\n');
  expect(lines).toHaveLength(3);
  // Neither colors nor line breaks of an error reach the terminal.
  const line = `^${failed} +1 +failed +failed +1 +\\d+ (ms|s|min) ago +Error: the price is missing$`;
  expect(lines[1]).toMatch(new RegExp(line));
  expect(letters.deadLetters).toMatchObject([{ user: blocked, seq: 1, status: 'blocked', request: 'block' }]);
  expect(all.deadLetters).toHaveLength(3);
  expect(all.next).toBeUndefined();
  expect(await asJson('dead-letters', '--reason', 'failed')).toEqual(all);
  expect(await asJson('dead-letters', '--reason', 'ended')).toEqual({ deadLetters: [] });
  const [two, shown, one] = await Promise.all([
    asJson('dead-letters', '--limit', '2'),
    lanekeeper(['dead-letters', 'list', '--limit', '2']),
    lanekeeper(['stuck', '--limit', '1']),
  ]);
  expect(shown.out).toContain(`More may follow: --after ${two.next}\n`);
  expect(await asJson('dead-letters', 'list', '--after', two.next)).toEqual({ deadLetters: all.deadLetters.slice(2) });
  expect(one.out).toMatch(/^More may follow: --limit 100$/m);

  const dropped = await lanekeeper(['dead-letters', 'drop', failed, '1', '9']);
  expect(dropped).toMatchObject({ status: 1, out: 'request 1: dropped\nrequest 9: There is no request 9.\n' });
  const retried = await lanekeeper(['dead-letters', 'retry', failed]);
  expect(retried).toMatchObject({ status: 0, out: '1 retried, 0 refused\n' });
  await statusIs(failed, 3, 'failed');
  expect(await asJson('dead-letters', 'drop', '--all')).toMatchObject({ decided: 2, refused: 0 });
  await statusIs(blocked, 2, 'done');
});

test('the requests of a user are shown and decided', async () => {
  const user = uniqueName('ada@example.com');
  await enqueue(user, 'done', 'block', 'c', 'd');
  await statusIs(user, 2, 'blocked');
  const [listed, queued, one] = await Promise.all([
    lanekeeper(['requests', user, '--limit', '2']),
    asJson('requests', user, '--status', 'queued'),
    lanekeeper(['requests', user, '2']),
  ]);
  expect(listed.out).toMatch(/^1 +done +1 +.* ago +"done"$/m);
  expect(listed.out).toMatch(/^2 +blocked +1 +.* ago +Error: the price is missing$/m);
  expect(listed.out).toContain('More may follow: --after 2');
  expect(queued.requests).toMatchObject([{ seq: 3 }, { seq: 4 }]);
  expect(one.out).toMatch(/^status +blocked$/m);
  // An operator sees the error that clients do not see.
  expect(one.out).toMatch(/^error +\{"name":"Error","message":"the /m);
  expect(await asJson('requests', user, '4', 'cancel')).toMatchObject({ seq: 4, status: 'cancelled' });
  expect(await asJson('requests', user, '2', 'skip')).toMatchObject({ seq: 2, status: 'failed' });
  expect(await asJson('requests', user, '2', 'retry')).toMatchObject({ seq: 5, retryOf: 2 });
  const refused = await lanekeeper(['requests', user, '1', 'retry']);
  expect(refused).toEqual({ status: 1, out: '', err: 'Request 1 cannot be retried: it is done.\n' });
});

test('--direct answers as the API does, and decides in the same way', async () => {
  const user = uniqueName('direct');
  await enqueue(user, 'block', 'b', 'fail', 'd');
  await statusIs(user, 1, 'blocked');
  const commands = [
    ['dead-letters', 'list', user],
    ['requests', user],
  ];
  for (const command of commands) {
    const [byApi, direct] = await Promise.all([asJson(...command), asJson(...command, '--direct')]);
    expect([command, direct]).toEqual([command, byApi]);
  }
  const { stuck } = await asJson('stuck', '--direct');
  expect(stuck).toContainEqual(expect.objectContaining({ user, reason: 'blocked', seq: 1 }));
  expect(await asJson('requests', user, '4', 'cancel', '--direct')).toMatchObject({ status: 'cancelled' });
  expect(await asJson('requests', user, '1', 'skip', '--direct')).toMatchObject({ status: 'failed' });
  await statusIs(user, 3, 'failed');
  expect(await asJson('requests', user, '3', 'retry', '--direct')).toMatchObject({ seq: 5, retryOf: 3 });
  await statusIs(user, 5, 'failed');
  expect(await asJson('dead-letters', 'drop', user, '1', '--direct')).toMatchObject({
    results: [{ result: 'dropped' }],
  });
});

test('--direct shows an account that has never logged in as the API does', async () => {
  const user = uniqueName('new').slice(0, 60);
  await world.stores.accounts.create(user, 'hash');
  const [byApi, direct] = await Promise.all([asJson('requests', user), asJson('requests', user, '--direct')]);
  expect([byApi, direct]).toEqual([{ requests: [] }, { requests: [] }]);
});

test('--direct warns of a wake that was not published', async () => {
  const user = uniqueName('unwoken');
  await enqueue(user, 'block');
  await statusIs(user, 1, 'blocked');
  const nowhere = { RABBITMQ_URL: 'amqp://127.0.0.1:1' };
  const { status, err } = await lanekeeper(['requests', user, '1', 'skip', '--direct'], nowhere);
  expect([status, err]).toEqual([0, expect.stringContaining('Warning: wake not published; the sweep will retry')]);
});

test('--direct takes all of the servers that its folder chose, or none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-chosen-'));
  mkdirSync(join(folder, '.data'));
  const chosen = { rabbitmq: { url: 'amqp://chosen', queuePrefix: 'own.' }, mongodb: { url: 'mongodb://chosen/x' } };
  writeFileSync(join(folder, '.data', 'services.json'), JSON.stringify(chosen));
  const all = { RABBITMQ_URL: 'amqp://chosen', MONGODB_URL: 'mongodb://chosen/x', QUEUE_PREFIX: 'own.' };
  const before = process.cwd();
  process.chdir(folder);
  try {
    expect(asInDevelopment({}, 'consumer')).toEqual(all);
    expect(asInDevelopment({ MONGODB_URL: all.MONGODB_URL, LANES: '2' }, 'consumer')).toEqual({ ...all, LANES: '2' });
    expect(asInDevelopment({ MONGODB_URL: 'mongodb://other/x' }, 'consumer')).toBeUndefined();
    expect(asInDevelopment({ RABBITMQ_URL: 'amqp://other' }, 'consumer')).toBeUndefined();
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  }
});

test('a run that hangs is ended, by the API and directly', async () => {
  const user = uniqueName('hanging');
  await enqueue(user, 'hang', 'hang', 'c');
  await statusIs(user, 1, 'processing');
  await asJson('requests', user, '1', 'end');
  await statusIs(user, 2, 'processing');
  await asJson('requests', user, '2', 'end', '--direct');
  await statusIs(user, 3, 'done');
  expect(await lanekeeper(['requests', user, '3', 'end'])).toMatchObject({
    status: 1,
    err: expect.stringContaining('Request 3 does not run'),
  });
});

test('says what is wrong: no key, a key without the scope, no API, no such user', async () => {
  const weak = (await lanekeeper(['keys', 'create', 'weak', '--scopes', 'read'])).out.trim();
  const wrong: [args: string[], message: string, env?: Record<string, string>][] = [
    [['stuck'], 'LANEKEEPER_KEY is not set', { LANEKEEPER_KEY: '' }],
    [['stuck'], 'needs a key with the scope operate; yours has read', { LANEKEEPER_KEY: weak }],
    [['stuck'], 'http://127.0.0.1:1 does not answer (bad port)', { LANEKEEPER_API: 'http://127.0.0.1:1' }],
    [
      ['stuck'],
      '"localhost:3000" is not the URL of an API: it must be such as http',
      { LANEKEEPER_API: 'localhost:3000' },
    ],
    [['demo'], 'prod does not answer (bad port). Start it', { LANEKEEPER_API: 'http://127.0.0.1:1/prod' }],
    [['requests', 'nobody-here'], 'There is no user "nobody-here"'],
    [['requests', 'nobody-here', '--direct'], 'There is no user "nobody-here"'],
    [['dead-letters', 'drop'], 'Name a user, or say --all'],
    [['requests', 'ada', '1', 'explode'], 'Allowed choices are cancel, retry, skip, end'],
  ];
  const ran = await Promise.all(wrong.map(([args, , env]) => lanekeeper(args, env)));
  expect(ran).toEqual(wrong.map(([, message]) => ({ status: 1, out: '', err: expect.stringContaining(message) })));
});
