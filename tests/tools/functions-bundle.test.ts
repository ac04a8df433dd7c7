/** What the image `functions` contains, without an engine: all functions as one script, its compiled code, and their threads. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { execa } from 'execa';
import { openStores } from '../../lib/store/stores.ts';
import { root } from '../../tools/run-tool.ts';
import { eventFixture } from '../http/drivers.ts';
import { mongodbUrl, rabbitmqUrl, uniqueName } from '../support/servers.ts';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-functions-'));

const run = (args: string[], env: Record<string, string> = {}) =>
  execa(execPath, args, {
    cwd: folder,
    env: { JWT_SECRET: 'x'.repeat(32), LOG_LEVEL: 'error', ...env },
    extendEnv: false,
  });

/** Runs an ES module in a process of its own, as the runtime client of AWS Lambda loads a function. */
const runModule = (code: string, env?: Record<string, string>, options: string[] = []) =>
  run([...options, '--input-type=module', '-e', `${code}\nsetImmediate(() => process.exit());`], env);

beforeAll(async () => {
  await execa(execPath, ['--no-warnings', join(root, 'tools', 'bundle-functions.ts'), folder]);
  // As the Dockerfile says it.
  const [, command = ''] = /^RUN node -e "(.*compile.*)"$/m.exec(readFileSync(join(root, 'Dockerfile'), 'utf8')) ?? [];
  await run(['-e', command]);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('all functions together are less than 3 MB of code', () => {
  expect(statSync(join(folder, 'functions', 'all.cjs')).size).toBeLessThan(3_000_000);
});

test('each function that is deployed is found by its handler', async () => {
  const infra = ['functions', 'rotation'].map((name) => readFileSync(join(root, 'infra', `${name}.yml`), 'utf8'));
  const files = [...infra.join('').matchAll(/^ {4}handler: (\S+)\.handler$/gm)].map(([, file]) => file);
  expect(files).toContain('functions/rotate-token-secret');
  const code = `for (const file of ${JSON.stringify(files)}) {
    const { handler } = await import(${JSON.stringify(folder)} + '/' + file + '.js');
    if (typeof handler !== 'function') throw new Error(file);
  }`;
  expect(await runModule(code)).toMatchObject({ exitCode: 0, stderr: '' });
});

test('the compiled code is taken by the Node that made it, and another one says that it is not', async () => {
  const code = `await import(${JSON.stringify(join(folder, 'functions', 'livez.js'))});`;
  expect((await runModule(code)).stderr).toBe('');
  expect((await runModule(code, {}, ['--no-lazy'])).stderr).toContain('compiled code of the functions is not for');
});

test('a stack names lines of the sources', async () => {
  const body = { username: 'ada', password: 'correct horse' };
  const event = eventFixture({ call: 'POST /login', body }, 'POST /login');
  const code = `const { handler } = await import(${JSON.stringify(join(folder, 'functions', 'login.js'))});
    await handler(${JSON.stringify(event)}, {});`;
  const nobody = { MONGODB_URL: 'mongodb://127.0.0.1:9/?directConnection=true', STORE_TIMEOUT_MS: '1000' };
  const { stdout } = await runModule(code, { ...nobody, RABBITMQ_URL: 'amqp://127.0.0.1:9' });
  const { err } = JSON.parse(stdout);
  const lines = readFileSync(join(root, 'lib', 'store', 'unavailable.ts'), 'utf8').split('\n');
  const [, line] = /asStoreError \((?:\S*\/)?lib\/store\/unavailable\.ts:(\d+):\d+\)/.exec(err.stack) ?? [];
  expect(lines[Number(line) - 1]).toContain('StoreUnavailableError');
});

test.each([
  ...['GET /openapi.json', 'GET /docs', 'GET /docs/reference.js'],
  ...['GET /console', 'GET /console/console.js', 'GET /console/console.css'],
])('%s answers with its file', async (call) => {
  const infra = readFileSync(join(root, 'infra', 'functions.yml'), 'utf8');
  const [, file = ''] =
    new RegExp(`handler: (\\S+)\\.handler\n(?: {4}events:.*\n| {6}-.*\n)*?.*httpApi: ${call}\\b`).exec(infra) ?? [];
  const event = eventFixture({ call }, call);
  const code = `const { handler } = await import(${JSON.stringify(join(folder, file))} + '.js');
    console.log((await handler(${JSON.stringify(event)}, {})).statusCode);`;
  const servers = { MONGODB_URL: 'mongodb://127.0.0.1:9/', RABBITMQ_URL: 'amqp://127.0.0.1:9' };
  expect((await runModule(code, servers)).stdout).toBe('200');
});

test('passwords are hashed in a thread that is beside the script', async () => {
  const url = mongodbUrl(uniqueName('functions'));
  await using stores = openDatabase(url);
  await stores.ready();
  const script = join(root, 'bench', 'cold-start-function.ts');
  const env = { MONGODB_URL: url, RABBITMQ_URL: rabbitmqUrl(), BCRYPT_COST: '4' };
  expect((await run(['--no-warnings', script, folder], env)).stdout).toMatch(/^\S+\.\S+\.\S+$/);
});

const openDatabase = (url: string) => {
  const stores = openStores({ mongodbUrl: url, storeTimeoutMs: 10_000, autoMigrate: 1 });
  return {
    ready: () => stores.userQueues.get(['none']),
    async [Symbol.asyncDispose]() {
      await stores.drop();
      await stores.close();
    },
  };
};
