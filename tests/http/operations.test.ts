/** Dead letters: what users and operators do about them. One scenario for both drivers, on a real worker. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { closeFunctionDeps } from '../../lib/compose/functions.ts';
import { decisionCursorText } from '../../lib/http/dead-letter-json.ts';
import type { RunRequest } from '../../lib/ports.ts';
import type { LedgerEntry, Outcome } from '../../lib/types.ts';
import { mongodbUrl, rabbitmqUrl, tokenSecret, uniqueName } from '../support/servers.ts';
import { eventually, openWorld, type World } from '../support/world.ts';
import { type Answer, type Driver, directDriver, gatewayDriver } from './drivers.ts';

const name = uniqueName('operations');
const environment = {
  MONGODB_URL: mongodbUrl(name),
  RABBITMQ_URL: rabbitmqUrl(),
  QUEUE_PREFIX: `${name}.`,
  LANES: '2',
  JWT_SECRET: tokenSecret,
  BCRYPT_COST: '4',
  LOGINS_PER_MINUTE: '0',
  REGISTRATIONS_PER_HOUR: '0',
  LOG_LEVEL: 'silent',
  STUCK_AFTER_MS: '100',
  MAX_REQUEST_ATTEMPTS: '1000',
  MAX_RUN_TIMEOUT_MS: '86400000',
};

/** Users whose requests no longer fail. */
const fixed = new Set<string>();
/** The requests that ran, by user. */
const runs = new Map<string, string[]>();
const held: (() => void)[] = [];

const outcomeOf = (kind: 'failed' | 'blocked'): Outcome => ({
  kind,
  error: { name: 'Error', message: 'as asked', exposed: true },
  reason: 'failed',
});

/** Echoes, except for requests that a test blocks, lets fail, holds, or lets wait an hour for their second attempt. */
const notYet = { name: 'Error', message: 'not yet' };
const notYetMarked = { ...notYet, exposed: true };

const runRequest: RunRequest = async ({ userId, body, attempt, signal }) => {
  runs.set(userId, [...(runs.get(userId) ?? []), body]);
  if (body === '"hold"') {
    await new Promise<void>((resolve) => {
      held.push(resolve);
      signal.addEventListener('abort', () => resolve());
    });
  }
  if (body === '"endless"') {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    return { kind: 'retry', error: notYet, delayMs: 3_600_000 };
  }
  if (fixed.has(userId)) return { kind: 'done', result: body };
  if (body.startsWith('"later') && attempt === 1) return { kind: 'retry', error: notYetMarked, delayMs: 3_600_000 };
  if (body === '"secret"') return { kind: 'retry', error: notYet, delayMs: 3_600_000 };
  if (body.startsWith('"block')) return outcomeOf('blocked');
  if (body.startsWith('"fail')) return outcomeOf('failed');
  return { kind: 'done', result: body };
};

const release = () => {
  for (const resolve of held.splice(0)) resolve();
};

let world: World;

beforeAll(async () => {
  Object.assign(process.env, environment);
  // No sweep: a decision that does not wake the owner must not go unnoticed.
  const config = { queuePrefix: environment.QUEUE_PREFIX, lanes: 2, sweepMs: 600_000, stuckAfterMs: 600_000 };
  world = await openWorld({ mongodbUrl: environment.MONGODB_URL, ...config });
  world.work(runRequest);
});

afterEach(release);

afterAll(async () => {
  await closeFunctionDeps();
  await world?.[Symbol.asyncDispose]();
});

describe.each([
  ['a function called directly', directDriver],
  ['the API over HTTP', gatewayDriver],
])('%s', (_name, open) => {
  let driver: Driver;
  let operator: User;
  beforeAll(async () => {
    driver = await open();
    operator = await newUser();
    await world.stores.accounts.setRole(operator.username, 'operator');
  });
  afterAll(() => driver.close());

  type User = { userId: string; username: string; token: string };

  const call: Driver['call'] = (one) => driver.call(one);
  const newUser = async (): Promise<User> => {
    const who = { username: uniqueName('user'), password: 'correct horse' };
    const { body } = await call({ call: 'POST /register', body: who });
    const login = await call({ call: 'POST /login', body: who });
    return { username: who.username, userId: String(body.userId), token: String(login.body.token) };
  };
  const enqueue = async ({ token }: User, ...requests: unknown[]) => {
    for (const request of requests) await call({ call: 'POST /enqueue', body: { request }, token });
  };
  const asked = ({ token }: User, seq: number) => call({ call: `GET /requests/${seq}?wait=10`, token });
  const post = ({ token }: User, path: string, body?: object) => call({ call: `POST ${path}`, token, body });
  /** A new user whose request 1 has run, with more requests after it. */
  const userWith = async (first: string, ...more: string[]): Promise<User> => {
    const user = await newUser();
    await enqueue(user, first, ...more);
    await asked(user, 1);
    return user;
  };
  const lettersOf = async ({ userId }: User, query = '') => {
    const answer = await call({ call: `GET /dead-letters?userId=${userId}${query}`, token: operator.token });
    return answer.body.deadLetters as Record<string, unknown>[];
  };
  const entriesOf = ({ userId }: User): Promise<LedgerEntry[]> =>
    world.stores.ledger.page(userId, { after: 0, limit: 100 });
  const expectProblem = ({ status, body }: Answer, expected: number, code: string) =>
    expect({ status, code: body.code }).toEqual({ status: expected, code });

  describe('limits of a request', () => {
    test('are accepted, shown, and passed to its run', async () => {
      const user = await newUser();
      const limits = { maxAttempts: 1_000, timeoutMs: 86_400_000, onInterruption: 'dead-letter' };
      const accepted = await post(user, '/enqueue', { request: 1, ...limits });
      expect(accepted.status).toBe(202);
      expect((await asked(user, 1)).body).toMatchObject({ status: 'done', ...limits });
      expect((await entriesOf(user))[0]?.limits).toEqual(limits);
    });

    test('are refused outside their ranges', async () => {
      const wrong = [
        { maxAttempts: 0 },
        { maxAttempts: 1_001 },
        { maxAttempts: 1.5 },
        { maxAttempts: '3' },
        { timeoutMs: 0 },
        { timeoutMs: 86_400_001 },
        { timeoutMs: null },
        { onInterruption: 'never' },
        { onInterruption: null },
      ];
      for (const limits of wrong) {
        expectProblem(await post(operator, '/enqueue', { request: 1, ...limits }), 400, 'invalid-request');
      }
    });
  });

  describe('a blocked request', () => {
    test('holds the later requests of its user, and no other user, until a retry runs it again in its place', async () => {
      const user = await userWith('block', 'b', 'c');
      const askedAt = Date.now();
      const blocked = await asked(user, 1);
      expect(Date.now() - askedAt).toBeLessThan(5_000);
      expect(blocked.body).toMatchObject({
        status: 'blocked',
        attempts: 1,
        position: 1,
        error: { name: 'Error', message: 'as asked' },
        deadLetter: { reason: 'failed', at: expect.any(String) },
      });
      const other = await newUser();
      await enqueue(other, 'free');
      expect((await asked(other, 1)).body.status).toBe('done');
      expect((await entriesOf(user)).map(({ status }) => status)).toEqual(['blocked', 'queued', 'queued']);

      fixed.add(user.userId);
      const retried = await post(user, '/requests/1/retry');
      expect(retried).toMatchObject({ status: 200, body: { seq: 1 } });
      expect(retried.body).not.toHaveProperty('deadLetter');
      expect((await asked(user, 3)).body.status).toBe('done');
      expect(runs.get(user.userId)).toEqual(['"block"', '"block"', '"b"', '"c"']);
      expectProblem(await post(user, '/requests/1/retry'), 409, 'not-retryable');
    });

    test('fails when it is skipped, lets the next ones run, and can still be retried', async () => {
      const user = await userWith('block', 'b');
      expect(await post(user, '/requests/1/skip')).toMatchObject({
        status: 200,
        body: { seq: 1, status: 'failed', settledAt: expect.any(String), deadLetter: { reason: 'failed' } },
      });
      expect((await asked(user, 2)).body.status).toBe('done');
      expectProblem(await post(user, '/requests/1/skip'), 409, 'not-blocked');
      fixed.add(user.userId);
      expect(await post(user, '/requests/1/retry')).toMatchObject({ status: 202, body: { seq: 3, retryOf: 1 } });
      await asked(user, 3);
      expect(runs.get(user.userId)).toEqual(['"block"', '"b"', '"block"']);
    });

    test('is unblocked by exactly one of many simultaneous retries', async () => {
      const user = await userWith('block');
      // Otherwise its next run could block it again, and another retry could unblock it.
      fixed.add(user.userId);
      const answers = await Promise.all(Array.from({ length: 6 }, () => post(user, '/requests/1/retry')));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      for (const answer of answers.filter(({ status }) => status !== 200)) expectProblem(answer, 409, 'not-retryable');
    });
  });

  describe('a failed request', () => {
    test('is accepted again at the end of the queue, with its limits, and is no longer a dead letter', async () => {
      const user = await newUser();
      await post(user, '/enqueue', { request: 'fail', maxAttempts: 2 });
      await enqueue(user, 'b');
      await asked(user, 2);
      fixed.add(user.userId);
      const retried = await post(user, '/requests/1/retry');
      expect(retried.status).toBe(202);
      expect(retried.body).toEqual({ seq: 3, status: 'queued', position: expect.any(Number), retryOf: 1 });
      const again = await asked(user, 3);
      expect(again.body).toMatchObject({ status: 'done', result: 'fail', retryOf: 1, maxAttempts: 2 });
      expect(again.body).not.toHaveProperty('key');
      expect(await lettersOf(user)).toEqual([]);
      const refused = await post(user, '/requests/1/retry');
      expectProblem(refused, 409, 'not-retryable');
      expect(refused.body.detail).toContain('as request 3');
    });

    test('is accepted again by exactly one of many simultaneous retries', async () => {
      const user = await userWith('fail');
      const answers = await Promise.all(Array.from({ length: 6 }, () => post(user, '/requests/1/retry')));
      expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
      for (const answer of answers.filter(({ status }) => status !== 202)) expectProblem(answer, 409, 'not-retryable');
      expect((await entriesOf(user)).filter(({ retryOf }) => retryOf === 1)).toHaveLength(1);
    });
  });

  describe('a request that waits for its next attempt', () => {
    const waiting = async (): Promise<User> => {
      const user = await newUser();
      await enqueue(user, 'later', 'b');
      await eventually('request 1 waits', async () => (await entriesOf(user))[0]?.retryAt);
      return user;
    };
    const shown = async (user: User) => (await call({ call: 'GET /requests/1', token: user.token })).body;

    test('says until when, also in the list', async () => {
      const user = await waiting();
      const { retryAt, ...rest } = await shown(user);
      expect(rest).toMatchObject({ status: 'processing', attempts: 1, error: notYet });
      expect(Date.parse(String(retryAt))).toBeGreaterThan(Date.now() + 3_000_000);
      const { body } = await call({ call: 'GET /requests?status=processing', token: user.token });
      expect(body.requests).toMatchObject([{ seq: 1, retryAt }]);
    });

    test.each([
      ['DELETE /requests/1', { status: 'cancelled', attempts: 1, error: notYet }],
      ['POST /requests/1/skip', { status: 'failed', attempts: 1, error: notYet, deadLetter: { reason: 'failed' } }],
    ])('is settled by %s, which shows what happened to it, and the next one runs', async (decision, settled) => {
      const user = await waiting();
      const answer = await call({ call: decision, token: user.token });
      expect(answer).toMatchObject({ status: 200, body: settled });
      expect(answer.body).not.toHaveProperty('retryAt');
      expect((await asked(user, 2)).body.status).toBe('done');
      expect(await shown(user)).toMatchObject(settled);
    });

    test('is retried at once, and the attempt counts', async () => {
      const user = await waiting();
      const answer = await post(user, '/requests/1/retry');
      expect(answer).toMatchObject({ status: 200, body: { seq: 1 } });
      expect((await asked(user, 2)).body.status).toBe('done');
      expect(await shown(user)).toMatchObject({ status: 'done', attempts: 2 });
      expect(await shown(user)).not.toHaveProperty('retryAt');
    });

    test('shows each attempt with what its error may show; operators see who ran it, and the whole error', async () => {
      const user = await waiting();
      await post(user, '/requests/1/retry');
      await asked(user, 2);
      const times = { startedAt: expect.any(String), endedAt: expect.any(String) };
      const failed = { attempt: 1, outcome: 'failed', error: notYet, ...times };
      const done = { attempt: 2, outcome: 'done', ...times };
      const { attemptLog, settledAt } = await shown(user);
      expect(attemptLog).toEqual([failed, done]);
      expect((attemptLog as { endedAt: string }[])[1]?.endedAt).toBe(settledAt);
      const path = `GET /users/id:${user.userId}/requests/1?as=operator`;
      const { body } = await call({ call: path, token: operator.token });
      const ran = { fencingToken: 1, workerId: expect.any(String) };
      expect(body.attemptLog).toEqual([
        { ...failed, ...ran },
        { ...done, ...ran },
      ]);
      const { body: list } = await call({ call: 'GET /requests', token: user.token });
      expect((list.requests as object[])[0]).not.toHaveProperty('attemptLog');
    });

    test('hides the text of an error that its author did not mark, in each attempt', async () => {
      const user = await newUser();
      await enqueue(user, 'secret');
      await eventually('request 1 waits', async () => (await entriesOf(user))[0]?.retryAt);
      const hidden = { name: 'Error', message: 'The run failed.' };
      expect((await shown(user)).attemptLog).toMatchObject([{ attempt: 1, outcome: 'failed', error: hidden }]);
      const path = `GET /users/id:${user.userId}/requests/1?as=operator`;
      const { body } = await call({ call: path, token: operator.token });
      expect(body.attemptLog).toMatchObject([{ attempt: 1, error: notYet }]);
    });

    test('is retried or dropped by an operator', async () => {
      const [retried, dropped] = [await waiting(), await waiting()];
      const item = ({ userId }: User) => ({ items: [{ userId, seq: 1 }] });
      const retry = await post(operator, '/dead-letters/retry', item(retried));
      expect(retry.body.results).toMatchObject([{ result: 'retried', retriedAs: 1 }]);
      const drop = await post(operator, '/dead-letters/drop', item(dropped));
      expect(drop.body.results).toMatchObject([{ result: 'dropped' }]);
      for (const user of [retried, dropped]) expect((await asked(user, 2)).body.status).toBe('done');
      expect((await shown(retried)).status).toBe('done');
      expect((await shown(dropped)).status).toBe('failed');
      expect(await lettersOf(dropped)).toEqual([]);
    });

    test('does not hold up a disconnect that cancels', async () => {
      const user = await waiting();
      const left = await call({
        call: 'POST /disconnect?wait=10',
        token: user.token,
        body: { pending: 'cancel' },
      });
      expect(left.body).toEqual({ queue: 'closed' });
      expect((await entriesOf(user)).map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
    });
  });

  test('only dead letters can be retried or skipped, and only by their user', async () => {
    const user = await userWith('fine');
    const blocked = await userWith('block');
    for (const [decision, code] of [
      ['retry', 'not-retryable'],
      ['skip', 'not-blocked'],
    ] as const) {
      expectProblem(await post(user, `/requests/1/${decision}`), 409, code);
      expectProblem(await post(user, `/requests/9/${decision}`), 404, 'request-not-found');
      expectProblem(await post(operator, `/requests/1/${decision}`), 404, 'request-not-found');
      expectProblem(await post(user, `/requests/x/${decision}`), 400, 'invalid-request');
      expectProblem(await call({ call: `POST /requests/1/${decision}` }), 401, 'missing-token');
    }
    expect((await entriesOf(blocked))[0]?.status).toBe('blocked');
  });

  describe("an operator's call", () => {
    const cursorOf = (userId: string) => decisionCursorText({ userId, seq: 1, through: 1 });
    const calls = [
      'GET /dead-letters',
      'POST /dead-letters/retry',
      'POST /dead-letters/drop',
      'GET /stuck',
      'GET /users',
      'GET /overview',
      'GET /lanes',
    ];
    const body = (one: string) => (one.startsWith('POST') ? { items: [{ userId: 'nobody', seq: 1 }] } : undefined);

    test.each(calls)('%s is refused without the role, as soon as the role is taken away', async (one) => {
      const user = await newUser();
      const answer = () => call({ call: one, token: user.token, body: body(one) });
      expectProblem(await call({ call: one, body: body(one) }), 401, 'missing-token');
      expectProblem(await answer(), 403, 'not-an-operator');
      await world.stores.accounts.setRole(user.username, 'operator');
      expect(await answer()).toMatchObject({ status: 200 });
      await world.stores.accounts.setRole(user.username, 'user');
      expectProblem(await answer(), 403, 'not-an-operator');
    });

    test('is refused after the session has ended', async () => {
      const user = await newUser();
      await world.stores.accounts.setRole(user.username, 'operator');
      await post(user, '/disconnect');
      expectProblem(await call({ call: 'GET /stuck', token: user.token }), 401, 'session-ended');
    });

    test.each<[what: string, one: string, wrong: object | undefined]>([
      ['an invalid cursor', 'GET /dead-letters?after=nonsense', undefined],
      ['a page that is too large', 'GET /dead-letters?limit=101', undefined],
      ['an empty page', 'GET /stuck?limit=0', undefined],
      ['no selection', 'POST /dead-letters/retry', {}],
      ['`all` that is false', 'POST /dead-letters/retry', { all: false }],
      ['two selections', 'POST /dead-letters/drop', { all: true, userId: 'one' }],
      ['no items', 'POST /dead-letters/drop', { items: [] }],
      ['a cursor that no answer had', 'POST /dead-letters/drop', { all: true, after: 'nonsense' }],
      [
        'too many items',
        'POST /dead-letters/drop',
        { items: Array.from({ length: 101 }, () => ({ userId: 'one', seq: 1 })) },
      ],
      ['a NoSQL operator in an item', 'POST /dead-letters/drop', { items: [{ userId: { $ne: '' }, seq: 1 }] }],
      ['a NoSQL operator for a user', 'POST /dead-letters/drop', { userId: { $ne: '' } }],
      ['an item of two users', 'POST /dead-letters/drop', { items: [{ user: 'one', userId: 'two', seq: 1 }] }],
      ['an item of no user', 'POST /dead-letters/drop', { items: [{ seq: 1 }] }],
    ])('is refused for %s', async (_what, one, wrong) => {
      expectProblem(await call({ call: one, token: operator.token, body: wrong }), 400, 'invalid-request');
    });

    test("is refused for another user's cursor", async () => {
      const { userId, username } = await newUser();
      const decide = (after: string) => post(operator, '/dead-letters/drop', { user: username, after });
      expectProblem(await decide(cursorOf('two')), 400, 'invalid-request');
      expect(await decide(cursorOf(userId))).toMatchObject({ status: 200, body: { decided: 0 } });
    });
  });

  describe('cancelling several requests', () => {
    test('cancels those that wait and leaves what runs, for their user and for an operator', async () => {
      const user = await newUser();
      await enqueue(user, 'hold', 'b', 'c', 'd', 'e');
      await eventually('the first one runs', () => runs.get(user.userId)?.length === 1);
      const cancel = (body: object) => post(user, '/requests/cancel', body);
      expect(await cancel({ seqs: [4, 1] })).toMatchObject({
        status: 200,
        body: {
          results: [
            { seq: 4, result: 'cancelled' },
            { seq: 1, result: 'refused', code: 'not-cancellable' },
          ],
        },
      });
      expect((await cancel({ all: true, upTo: 2 })).body).toEqual({ cancelled: 1 });
      const path = `/users/id:${user.userId}/requests/cancel`;
      expectProblem(await post(user, `${path}?as=operator`, { all: true }), 403, 'not-an-operator');
      expect((await post(operator, `${path}?as=operator`, { all: true })).body).toEqual({ cancelled: 2 });
      expect((await cancel({ all: true })).body).toEqual({ cancelled: 0 });
      release();
      expect((await asked(user, 1)).body.status).toBe('done');
      const cancelled = Array(4).fill('cancelled');
      expect((await entriesOf(user)).map(({ status }) => status)).toEqual(['done', ...cancelled]);
      expect(runs.get(user.userId)).toEqual(['"hold"']);
    });

    test('each request is cancelled or runs, and those that run keep their order', async () => {
      const user = await newUser();
      const requests = Array.from({ length: 100 }, (_, index) => ({ request: index + 1 }));
      await post(user, '/enqueue', { requests });
      await eventually('some have run', () => (runs.get(user.userId)?.length ?? 0) > 3);
      const { body } = await post(user, '/requests/cancel', { all: true });
      const states = await eventually('all are settled', async () => {
        const states = (await entriesOf(user)).map(({ status }) => status);
        return states.every((status) => status === 'done' || status === 'cancelled') && states;
      });
      const done = states.lastIndexOf('done') + 1;
      expect(states.filter((status) => status === 'cancelled')).toHaveLength(Number(body.cancelled));
      expect(states.slice(0, done)).toEqual(Array(done).fill('done'));
      expect(runs.get(user.userId)).toEqual(Array.from({ length: done }, (_, index) => `${index + 1}`));
      await enqueue(user, 'next');
      expect((await asked(user, 101)).body.status).toBe('done');
    });

    test.each([
      {},
      { all: false },
      { all: true, seqs: [1] },
      { seqs: [] },
      { seqs: [0] },
      { seqs: [1], upTo: 1 },
      { seqs: Array.from({ length: 101 }, (_, index) => index + 1) },
    ])('refuses %j', async (body) => {
      expectProblem(await post(operator, '/requests/cancel', body), 400, 'invalid-request');
    });
  });

  describe('dead letters', () => {
    test('are listed in pages with the user, the reason, and the request exactly as sent', async () => {
      const user = await newUser();
      const request = '"fail 12345678901234567890"';
      await call({ call: 'POST /enqueue', text: `{"request":${request},"timeoutMs":7}`, token: user.token });
      await enqueue(user, 'fail 2', 'block 3');
      await asked(user, 3);
      const page = (query: string) =>
        call({ call: `GET /dead-letters?userId=${user.userId}${query}`, token: operator.token });
      const first = await page('&limit=2');
      expect((first.body.deadLetters as object[])[0]).toEqual({
        userId: user.userId,
        user: user.username,
        seq: 1,
        status: 'failed',
        reason: 'failed',
        attempts: 1,
        timeoutMs: 7,
        error: { name: 'Error', message: 'as asked', exposed: true },
        at: expect.any(String),
        acceptedAt: expect.any(String),
        request: JSON.parse(request),
      });
      expect(first.text).toContain(`"request":${request}}`);
      const last = await page(`&limit=2&after=${first.body.next}`);
      expect(last.body).toMatchObject({ deadLetters: [{ seq: 3, status: 'blocked' }] });
      expect(last.body).not.toHaveProperty('next');
    });

    test('are listed by their reason', async () => {
      const user = await userWith('fail 1', 'fail 2');
      await asked(user, 2);
      expect(await lettersOf(user, '&reason=failed')).toMatchObject([{ seq: 1 }, { seq: 2 }]);
      expect(await lettersOf(user, '&reason=ended')).toEqual([]);
      const wrong = await call({ call: 'GET /dead-letters?reason=sad', token: operator.token });
      expectProblem(wrong, 400, 'invalid-request');
    });

    test('are retried one by one: each item has its own result', async () => {
      const [blocked, failed, fine] = [await userWith('block', 'b'), await userWith('fail'), await userWith('fine')];
      for (const { userId } of [blocked, failed]) fixed.add(userId);
      // An operator's retry needs no session of the user.
      await post(failed, '/disconnect');
      const items = [fine, failed, blocked].map(({ userId }) => ({ userId, seq: 1 }));
      const { body } = await post(operator, '/dead-letters/retry', { items: [...items, { userId: 'nobody', seq: 1 }] });
      expect(body.results).toMatchObject([
        { ...items[0], result: 'refused', code: 'not-retryable' },
        { ...items[1], result: 'retried', retriedAs: 2 },
        { ...items[2], result: 'retried', retriedAs: 1 },
        { user: 'nobody', seq: 1, result: 'refused', code: 'no-such-user' },
      ]);
      expect((await asked(blocked, 2)).body.status).toBe('done');
      await eventually(
        'the retry of the failed request is done',
        async () => (await entriesOf(failed))[1]?.status === 'done',
      );
    });

    test('can be dropped: a blocked one is skipped, and none can be retried any more', async () => {
      const [blocked, failed] = [await userWith('block', 'b'), await userWith('fail')];
      const items = [blocked, failed].map(({ userId }) => ({ userId, seq: 1 }));
      const dropped = await post(operator, '/dead-letters/drop', { items });
      expect(dropped).toMatchObject({ status: 200, body: { results: [{ result: 'dropped' }, { result: 'dropped' }] } });
      expect((await asked(blocked, 2)).body.status).toBe('done');
      for (const user of [blocked, failed]) {
        expect(await lettersOf(user)).toEqual([]);
        expect((await asked(user, 1)).body.status).toBe('failed');
        expectProblem(await post(user, '/requests/1/retry'), 409, 'not-retryable');
      }
      const again = await post(operator, '/dead-letters/drop', { items });
      const refused = { result: 'refused', code: 'not-a-dead-letter' };
      expect(again.body).toMatchObject({ results: [refused, refused] });
    });

    test('of one user or of all users can be decided in one call', async () => {
      const [one, other] = [await userWith('fail 1', 'fail 2', 'c'), await userWith('fail')];
      await asked(one, 3);
      const mine = await post(operator, '/dead-letters/retry', { userId: one.userId });
      expect(mine).toMatchObject({ status: 200, body: { decided: 2, refused: 0, refusedBy: {} } });
      await asked(one, 5);
      // In the order in which they were sent. A retry that fails again is not retried by the same call.
      const retries = (await entriesOf(one)).flatMap(({ retryOf }) => retryOf ?? []);
      expect(retries).toEqual([1, 2]);
      expect(await lettersOf(one)).toMatchObject([{ seq: 4 }, { seq: 5 }]);
      expect(await lettersOf(other)).toHaveLength(1);

      const all = await post(operator, '/dead-letters/drop', { all: true });
      expect(all).toMatchObject({ status: 200, body: { refused: 0 } });
      expect(all.body).not.toHaveProperty('next');
      for (const user of [one, other]) expect(await lettersOf(user)).toEqual([]);
    });
  });

  describe('POST /users/{ref}/requests/{seq}/end', () => {
    const end = (who: User, userId: string, seq: number | string = 1, query = '') =>
      post(who, `/users/${userId}/requests/${seq}/end${query}`);

    test('ends a run, whose request becomes a dead letter, and frees its user', async () => {
      const user = await newUser();
      await enqueue(user, 'endless', 'next');
      await eventually('it runs', () => runs.get(user.userId));
      const answer = await eventually('it is recorded that it runs', async () => {
        const one = await end(operator, user.userId, 1, '?wait=10');
        return one.status !== 409 && one;
      });
      expect(answer).toMatchObject({
        status: 200,
        body: { seq: 1, status: 'failed', deadLetter: { reason: 'ended' } },
      });
      expect(answer.body).not.toHaveProperty('ending');
      expect((await asked(user, 1)).body.error).toEqual({
        name: 'RunEndedError',
        message: 'An operator ended the run',
      });
      expect(await asked(user, 2)).toMatchObject({ body: { status: 'done' } });
      expect(await end(operator, user.userId)).toMatchObject({ status: 200, body: { status: 'failed' } });
    });

    test('shows since when a request is ending, while its run goes on', async () => {
      const user = await newUser();
      const entry = { userId: user.userId, seq: 1, body: '1', acceptedAt: new Date() };
      await world.stores.ledger.insert(entry);
      const claim = { kind: 'claim', interruptions: 0, forgiven: 0, token: 9, attempt: 1, at: new Date() } as const;
      await world.stores.ledger.commit([{ userId: user.userId, seq: 1, ...claim }]);
      const answer = await end(operator, user.userId);
      expect(answer).toMatchObject({ status: 202, body: { status: 'processing', ending: expect.any(String) } });
      const { body } = await call({ call: 'GET /requests/1', token: user.token });
      expect(body.ending).toBe(answer.body.ending);
    });

    test('is refused for a request that does not run, and for who is no operator', async () => {
      const user = await userWith('fail');
      const refused = await end(operator, user.userId);
      expectProblem(refused, 409, 'not-running');
      expect(refused.body.detail).toBe('Request 1 does not run; it is failed.');
      expectProblem(await end(operator, user.userId, 9), 404, 'request-not-found');
      expectProblem(await end(operator, 'nobody'), 404, 'no-such-user');
      expectProblem(await end(operator, user.userId, 'x'), 400, 'invalid-request');
      expectProblem(await end(user, user.userId), 403, 'not-an-operator');
    });
  });

  test('stuck users are listed with the reason, such as a blocked request or a long run; an idle user is not listed', async () => {
    const [blocked, running, idle] = [await userWith('block', 'b'), await newUser(), await userWith('fine')];
    await enqueue(running, 'hold');
    const listed = async () => {
      const { body } = await call({ call: 'GET /stuck?limit=100', token: operator.token });
      return body.stuck as { userId: string; reason: string; sinceMs: number }[];
    };
    const reasonOf = async ({ userId }: User) => (await listed()).find((one) => one.userId === userId);
    const found = await eventually('the user counts as stuck in a long run', async () => {
      const one = await reasonOf(running);
      return one?.reason === 'long-run' && one;
    });
    const { username, userId } = running;
    expect(found).toEqual({
      userId,
      user: username,
      lane: expect.any(Number),
      seq: 1,
      reason: 'long-run',
      verdict: { code: 'running', text: 'Request 1 runs.', seq: 1, sinceMs: expect.any(Number) },
      sinceMs: expect.any(Number),
    });
    expect(found.sinceMs).toBeGreaterThanOrEqual(100);
    expect(await reasonOf(blocked)).toMatchObject({ reason: 'blocked', seq: 1 });
    expect(await reasonOf(idle)).toBeUndefined();
  });

  describe('the verdict about a user', () => {
    const about = async ({ username }: User, query = '?as=operator') =>
      (await call({ call: `GET /users/${username}${query}`, token: operator.token })).body;

    test('says why it waits, to an operator and to the user', async () => {
      const user = await userWith('block', 'b', 'c');
      const error = { name: 'Error', message: 'as asked' };
      const verdict = {
        ...{ code: 'blocked', seq: 1, sinceMs: expect.any(Number) },
        text: 'Waits because request 1 is blocked: somebody must retry or skip it.',
      };
      expect(await about(user)).toEqual({
        ...{ userId: user.userId, user: user.username, lane: expect.any(Number), state: 'open', sessions: 1 },
        ...{ accepted: 3, settled: 0, pending: 3, oldestPendingAgeMs: expect.any(Number) },
        ...{ verdict, error, owner: expect.any(String), fencingToken: expect.any(Number) },
      });
      const { body: own } = await call({ call: 'GET /queue', token: user.token });
      expect(own).toMatchObject({ pending: 3, verdict, error });
    });

    test('says what runs, under which token', async () => {
      const user = await newUser();
      await enqueue(user, 'hold', 'b');
      const found = await eventually('the request runs', async () => {
        const body = await about(user);
        return body.running !== undefined && body;
      });
      expect(found).toMatchObject({
        verdict: { code: 'running', seq: 1 },
        running: { seq: 1, fencingToken: expect.any(Number), startedAt: expect.any(String) },
      });
    });

    test('says when the next attempt starts, and nothing after the end', async () => {
      const user = await newUser();
      await enqueue(user, 'later');
      const waiting = await eventually('the request waits for its next attempt', async () => {
        const body = await about(user);
        return (body.verdict as { code: string }).code === 'between-attempts' && body;
      });
      const { retryAt } = (await entriesOf(user))[0] as LedgerEntry;
      expect(waiting.verdict).toMatchObject({ until: retryAt?.toISOString() });
      await call({ call: 'DELETE /requests/1', token: user.token });
      expect(await about(user)).toMatchObject({ pending: 0, verdict: { code: 'idle' } });
    });
  });

  describe('the list of users', () => {
    type Listed = { userId: string; pending: number; running?: number; verdict: { code: string } };
    const list = async (query: string) => {
      const { status, body } = await call({ call: `GET /users?${query}`, token: operator.token });
      expect(status).toBe(200);
      return body as { users: Listed[]; next?: string };
    };
    const everyPage = async (query: string) => {
      const users: Listed[] = [];
      let next: string | undefined;
      do {
        const page = await list(`${query}${next === undefined ? '' : `&after=${encodeURIComponent(next)}`}`);
        users.push(...page.users);
        next = page.next;
      } while (next !== undefined);
      return users;
    };

    test('has those who wait, with the verdict, and not those who are idle', async () => {
      const [blocked, running, idle] = [await userWith('block', 'b'), await newUser(), await userWith('fine')];
      await enqueue(running, 'hold', 'b');
      await eventually('the request runs', async () => (await entriesOf(running))[0]?.status === 'processing');
      const users = await everyPage('limit=2');
      const found = new Map(users.map((user) => [user.userId, user]));
      expect(found.size).toBe(users.length);
      expect(found.get(blocked.userId)).toMatchObject({ pending: 2, verdict: { code: 'blocked', seq: 1 } });
      expect(found.get(running.userId)).toMatchObject({ pending: 2, running: 1, verdict: { code: 'running' } });
      expect(found.has(idle.userId)).toBe(false);

      const filtered = await everyPage('verdict=blocked,unresponsive-run&limit=100');
      expect(filtered.map(({ userId }) => userId)).toContain(blocked.userId);
      expect(new Set(filtered.map(({ verdict }) => verdict.code))).toEqual(new Set(['blocked']));
    });

    test('is searched by the beginning of a name, and then has those who are idle, if asked', async () => {
      const idle = await userWith('fine');
      const name = encodeURIComponent(idle.username.slice(0, -1));
      expect((await list(`name=${name}&show=all`)).users.map(({ userId }) => userId)).toContain(idle.userId);
      expect((await list(`name=${name}`)).users.map(({ userId }) => userId)).not.toContain(idle.userId);
    });

    test.each([
      ['an unknown verdict', 'verdict=sad', 'query.verdict.0: must be one of idle'],
      ['a cursor that is none', 'after=x', 'query.after: must be `next`'],
      ['a lane that is none', 'lane=-1', 'query.lane: must be the number of a lane'],
    ])('refuses %s', async (_what, query, detail) => {
      const refused = await call({ call: `GET /users?${query}`, token: operator.token });
      expectProblem(refused, 400, 'invalid-request');
      expect(refused.body.detail).toContain(detail);
    });
  });

  test('the overview names what is wrong, the lanes with their owner, and the last hour', async () => {
    const blocked = await userWith('block', 'b');
    const [{ lane } = { lane: 0 }] = await world.stores.userQueues.get([blocked.userId]);
    // Other users may be blocked as well, in the other lane.
    const found = await eventually('the blocked user is counted', async () => {
      const { body } = await call({ call: 'GET /overview', token: operator.token });
      const isBusy = ((body.lanes as { busy: number }[])[lane]?.busy ?? 0) > 0;
      return isBusy && (body.problems as { code: string }[]).some(({ code }) => code === 'blocked-users') && body;
    });
    const lanes = found.lanes as { lane: number; owner?: string; busy: number }[];
    const workers = found.workers as { workerId: string; state: string; lanes: number }[];
    expect(workers).toMatchObject([{ state: 'serving', lanes: 2 }]);
    expect(lanes.map(({ owner }) => owner)).toEqual([workers[0]?.workerId, workers[0]?.workerId]);
    const { users } = found.longestWaits as { users: { waitingMs: number; verdict: { code: string } }[] };
    expect(users.map(({ verdict }) => verdict.code)).toContain('blocked');
    const waits = users.map(({ waitingMs }) => waitingMs);
    expect(waits).toEqual(waits.toSorted((one, other) => other - one));
    const counted = await eventually('the minute is written down', async () => {
      const { body } = await call({ call: 'GET /overview', token: operator.token });
      const hour = body.lastHour as { started: number; done: number; p50?: number; longest?: number };
      return hour.done > 0 && hour;
    });
    expect(counted.started).toBeGreaterThan(0);
    expect(counted.p50).toBeGreaterThan(0);
    expect(counted.longest).toBeGreaterThanOrEqual(Number(counted.p50));
  });

  test('the lanes say who owns them since when, and how they moved', async () => {
    const { body } = await call({ call: 'GET /lanes', token: operator.token });
    const owner = expect.any(String);
    const owned = { owner, busy: expect.any(Number), since: expect.any(String), fencingToken: 1 };
    expect(body.lanes).toEqual([
      { lane: 0, ...owned },
      { lane: 1, ...owned },
    ]);
    const moves = body.moves as { lane: number }[];
    expect(moves.toSorted((one, other) => one.lane - other.lane)).toEqual([
      { lane: 0, at: expect.any(String), fencingToken: 1, to: owner },
      { lane: 1, at: expect.any(String), fencingToken: 1, to: owner },
    ]);
    expect(body.moreMoves).toBe(0);
  });
});
