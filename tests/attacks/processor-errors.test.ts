/** The text of a processor's error may hold paths and passwords: a client sees it only where the error says so [M9]. */
import { fileURLToPath } from 'node:url';
import { afterAll, expect, jest, test } from '@jest/globals';
import { consumerScript, startCluster } from '../consumer/support/cluster.ts';
import { type ApiProcess, startApi } from '../http/api-process.ts';
import { uniqueName } from '../support/servers.ts';
import { eventually, openWorld } from '../support/world.ts';

jest.setTimeout(180_000);

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const secret = /hunter2|db\.internal|\/etc\/secret/;
const hidden = (name: string) => ({ name, message: 'The run failed.' });

/** What a client sees, by what the processor does. */
const shown = {
  file: hidden('Error'),
  url: hidden('TypeError'),
  name: hidden('Error'),
  object: hidden('Error'),
  'own-cause': { name: 'UnrecoverableError', message: 'the price list is missing' },
  pause: { name: 'RetryAfterError', message: 'the bank is closed' },
  marked: { name: 'RangeError', message: 'at most 5' },
  unmarked: hidden('UnrecoverableError'),
  result: { name: 'BadResultError', message: 'The result is not JSON' },
  slow: { name: 'RunTimeoutError', message: 'The run took longer than 1000 ms' },
};

const apis: ApiProcess[] = [];
afterAll(() => Promise.all(apis.map((api) => api.end())));

const credentials = () => ({ username: uniqueName('user'), password: 'correct horse' });

const logIn = async (api: ApiProcess, body = credentials()): Promise<string> => {
  await api.call({ call: 'POST /register', body });
  return String((await api.call({ call: 'POST /login', body })).body.token);
};

test('clients see the text of marked errors only, in every answer; operators see all of it', async () => {
  await using world = await openWorld();
  const { mongodbUrl, rabbitmqUrl, queuePrefix, lanes } = world.config;
  const env = {
    MONGODB_URL: mongodbUrl,
    RABBITMQ_URL: rabbitmqUrl,
    QUEUE_PREFIX: queuePrefix,
    LANES: String(lanes),
  };
  const start = async (more: Record<string, string> = {}) => {
    const started = await startApi(['functions/api.ts'], { ...env, ...more });
    apis.push(started);
    return started;
  };
  const [api, open] = await Promise.all([start(), start({ EXPOSE_ERRORS: 'all' })]);
  await using _consumer = startCluster(
    { ...env, WORKERS: '1', PROCESSOR: file('./support/leaky-processor.ts') },
    consumerScript,
  );

  const fail = async (request: string): Promise<string> => {
    const token = await logIn(api);
    const call = (line: string) => api.call({ call: line, token });
    await api.call({ call: 'POST /enqueue', body: { request }, token });
    // A consumer starts slowly on a busy machine. Then the request is blocked: no attempt is left.
    const blocked = async () => {
      const answer = await call('GET /requests/1?wait=20');
      return answer.body.status === 'blocked' && answer;
    };
    const polled = await eventually(`${request} is blocked`, blocked, 120_000);
    expect(polled.body.error).toEqual(shown[request as keyof typeof shown]);
    if (request === 'url') {
      const all = await open.call({ call: 'GET /requests/1', token });
      expect(all.body.error).toEqual({ name: 'TypeError', message: expect.stringContaining('hunter2') });
    }
    const answers = [await call('GET /requests/1'), await call('GET /requests'), await call('POST /requests/1/skip')];
    return [polled, ...answers].map(({ text }) => text).join();
  };

  for (const text of await Promise.all(Object.keys(shown).map(fail))) expect(text).not.toMatch(secret);

  const operator = credentials();
  const token = await logIn(api, operator);
  await world.stores.accounts.setRole(operator.username, 'operator');
  const { text } = await api.call({ call: 'GET /dead-letters', token });
  expect(text).toContain("ENOENT: no such file or directory, open '/etc/secret/app/config-prod.json'");
  expect(text.match(/mongodb:\/\/app:hunter2@db\.internal/g)?.length).toBeGreaterThanOrEqual(4);
});
