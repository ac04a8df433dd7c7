/** A scenario that needs everything that a program starts by name: threads, workers, isolated processes, the functions of the routes. */
import { expect } from '@jest/globals';
import { httpClient } from '../../http/drivers.ts';
import { tokenSecret, uniqueName } from '../../support/servers.ts';
import { openWorld } from '../../support/world.ts';
import { run, type Start, startCommand } from './installed-package.ts';

export const typedProcessor = `
  import { type Processor, type ProcessorPolicy, RetryAfterError, UnrecoverableError } from 'lanekeeper';
  export const policy: ProcessorPolicy = { maxAttempts: 7, retryBaseMs: 10 };
  // @ts-expect-error The policy has types.
  export const wrong: ProcessorPolicy = { maxAttempts: 'seven' };
  const processor: Processor = async (request, { userId, seq, signal, logger }) => {
    signal.throwIfAborted();
    logger.child?.({ step: 1 }).info({ seq }, 'begun');
    if (request === 'never') throw new UnrecoverableError('never', { cause: request });
    if (request === 'later') throw new RetryAfterError('later', { retryAfterMs: 12_345 });
    if (request === 'crash' && !process.argv[1]?.endsWith('isolated-run.js')) process.exit(1);
    const id: string = userId + ':' + seq;
    return { id };
  };
  export default processor;
`;

/** Two texts of one large request: they are compared in a thread. */
const filler = 'x'.repeat(20_000);
const large = { one: `{"request":{"a":1,"b":"${filler}"}}`, other: `{"request":{"b":"${filler}","a":1}}` };

/** Registers a user, makes an operator of them and has their requests run. `own` names a file with `typedProcessor`. */
export const serveRequests = async (start: Start, own: NodeJS.ProcessEnv): Promise<void> => {
  await using world = await openWorld();
  const { mongodbUrl, rabbitmqUrl, queuePrefix, lanes } = world.config;
  const servers = { MONGODB_URL: mongodbUrl, RABBITMQ_URL: rabbitmqUrl };
  const command = (...args: string[]) => run(start.node, [start.script, ...args], { cwd: start.cwd, env: servers });
  expect(await command('migrate')).toMatch(/all indexes are there$/m);
  const settings = {
    ...{ ...servers, QUEUE_PREFIX: queuePrefix, LANES: String(lanes), PORT: '0', METRICS_PORT: '0', WORKERS: '1' },
    ...{ JWT_SECRET: tokenSecret, BCRYPT_COST: '4', ...own },
  };
  await using consumer = startCommand(start, 'consumer', settings);
  await using api = startCommand(start, 'api', settings);
  const call = httpClient(`http://127.0.0.1:${(await api.logged('API ready')).port}`);
  await consumer.logged('worker running');

  expect(await call({ call: 'GET /openapi.json' })).toMatchObject({ status: 200, body: { openapi: '3.1.1' } });
  expect(await call({ call: 'GET /docs/reference.js' })).toMatchObject({ status: 200 });

  const body = { username: uniqueName('user'), password: 'correct horse' };
  expect(await call({ call: 'POST /register', body })).toMatchObject({ status: 201 });
  expect(await command('operator', body.username)).toBe(`${body.username} is an operator now\n`);
  const token = String((await call({ call: 'POST /login', body })).body.token);
  for (const request of ['now', 'never', 'crash'])
    expect(await call({ call: 'POST /enqueue', token, body: { request } })).toMatchObject({ status: 202 });
  for (const text of [large.one, large.other])
    expect(await call({ call: 'POST /enqueue', token, text, headers: { 'idempotency-key': 'large' } })).toMatchObject({
      body: { seq: 4 },
    });
  const entries = [1, 2, 3, 4].map(async (seq) => {
    for (;;) {
      const { body: entry } = await call({ call: `GET /requests/${seq}?wait=20`, token });
      if (!['queued', 'processing'].includes(String(entry.status))) return entry;
    }
  });
  expect(await Promise.all(entries)).toMatchObject([
    { status: 'done', result: { id: expect.stringMatching(/:1$/) } },
    { status: 'failed', error: { name: 'UnrecoverableError', message: 'never' } },
    { status: 'done', result: { id: expect.stringMatching(/:3$/) } },
    { status: 'done' },
  ]);
};
