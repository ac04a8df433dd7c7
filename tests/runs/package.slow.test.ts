/** The package that people install: what is in it, and what the documentation shows, in a project of its own. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { execPath } from 'node:process';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { filesBelow, unresolvedImports } from '../support/unresolved-imports.ts';
import { openWorld } from '../support/world.ts';
import { commandOf, hasOlderNode, installOlderNode, installPackage, root, run } from './support/installed-package.ts';
import { serveRequests, typedProcessor } from './support/served-requests.ts';
import { runsSupportFile } from './support/support-file.ts';

jest.setTimeout(120_000);

let installed: Awaited<ReturnType<typeof installPackage>>;
let olderNode = '';
const packageFolder = () => join(installed.project, 'node_modules', 'lanekeeper');

const javaScript = `
  import { RetryAfterError, UnrecoverableError } from 'lanekeeper';
  export const policy = { maxAttempts: 7, retryBaseMs: 10 };
  export default async (request, { userId, seq }) => {
    if (request === 'never') throw new UnrecoverableError('never');
    if (request === 'later') throw new RetryAfterError('later', { retryAfterMs: 12_345 });
    return { id: userId + ':' + seq };
  };
`;

/** A back end with the library. */
const service = (typed: boolean) => `
  import { createLanekeeper, UnrecoverableError } from 'lanekeeper';
  ${typed ? "import type { Processor } from 'lanekeeper/processor';" : ''}

  const processor${typed ? ': Processor' : ''} = async (request, { user, seq }) => {
    if (request === 'never') throw new UnrecoverableError('never');
    return { user, seq, request };
  };
  const { MONGODB_URL: mongodbUrl, RABBITMQ_URL: rabbitmqUrl, QUEUE_PREFIX: queuePrefix, LANES } = process.env;
  const lanekeeper = await createLanekeeper({ mongodbUrl, rabbitmqUrl, queuePrefix, lanes: Number(LANES) });
  await lanekeeper.consume(processor, { workers: 'in-process', concurrency: 64 });
  const first = await lanekeeper.enqueue('auth0|6571', { amount: 5 }, { key: 'order-17' });
  const second = await lanekeeper.enqueue('auth0|6571', 'never');
  for (const { seq } of [first, second]) {
    const { status, result, error } = await lanekeeper.result('auth0|6571', seq, { waitMs: 20_000 });
    console.log(JSON.stringify({ status, result, error: error?.name }));
  }
  await lanekeeper.close();
`;

const processorTest = `
  import assert from 'node:assert/strict';
  import { runProcessor } from 'lanekeeper/testing';
  import processor from './processor.ts';

  const outcome = await runProcessor(processor, 'now', { userId: 'u1', seq: 7 });
  assert.deepEqual(outcome, { status: 'done', result: { id: 'u1:7' } });
`;

const tsconfig = {
  compilerOptions: {
    target: 'es2024',
    module: 'nodenext',
    lib: ['es2024'],
    types: ['node'],
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
  },
  files: ['processor.ts', 'service.ts', 'processor-test.ts'],
};

beforeAll(async () => {
  installed = await installPackage({
    'tsconfig.json': JSON.stringify(tsconfig),
    'processor.js': javaScript,
    'processor.ts': typedProcessor,
    'processor-test.ts': processorTest,
    'service.ts': service(true),
    'service.js': service(false),
  });
  if (hasOlderNode) olderNode = await installOlderNode(installed.folder);
}, 300_000);

afterAll(() => installed?.remove());

const runProcessor = async (file: string) => {
  const requests = ['"now"', '"never"', '"later"'];
  const PROCESSOR = resolve(installed.project, file);
  return JSON.parse(await run(execPath, [runsSupportFile('run-processor.ts'), ...requests], { env: { PROCESSOR } }));
};

const expected = {
  policy: { maxAttempts: 7, retryBaseMs: 10, onFailure: 'skip' },
  outcomes: [
    { kind: 'done', result: '{"id":"u1:1"}' },
    { kind: 'failed', error: { name: 'UnrecoverableError', message: 'never' } },
    { kind: 'retry', error: { name: 'RetryAfterError', message: 'later' }, delayMs: 12_345 },
  ],
};

const manifest = async () => JSON.parse(await readFile(join(packageFolder(), 'package.json'), 'utf8'));

describe('the package', () => {
  test('passes publint', async () => {
    expect(await run('publint', ['--strict', installed.staged])).toContain('All good!');
  });

  test('passes arethetypeswrong as an ESM-only package', async () => {
    await run('attw', ['--pack', installed.staged, '--profile', 'esm-only']);
  });

  test('can be published', async () => {
    await run('npm', ['publish', '--dry-run'], { cwd: installed.staged });
  });

  test('imports only its production dependencies, and files that it has', async () => {
    const { dependencies, peerDependencies } = await manifest();
    const packages = Object.keys({ ...dependencies, ...peerDependencies });
    expect(await unresolvedImports(packageFolder(), '.js', packages)).toEqual([]);
  });

  test('has a file for each entry of its manifest', async () => {
    const { exports, bin } = await manifest();
    const paths = [...Object.values(exports), ...Object.values(bin)].flatMap((entry) =>
      typeof entry === 'string' ? entry : Object.values(entry as object),
    );
    const files = await filesBelow(packageFolder());
    expect(paths.filter((path) => !files.includes(join(packageFolder(), path)))).toEqual([]);
  });

  test('takes less than 70 MB with all its dependencies', async () => {
    const entries = await readdir(join(installed.project, 'node_modules'), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    // A file takes whole blocks.
    const sizes = await Promise.all(files.map(async (file) => Math.ceil((await stat(file)).size / 4096) * 4096));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(70_000_000);
  });

  test('runs a JavaScript processor that imports it', async () => {
    expect(await runProcessor('processor.js')).toMatchObject(expected);
  });

  test('type-checks and runs a TypeScript processor that imports it', async () => {
    await run('tsc', ['-p', installed.project]);
    expect(await runProcessor('processor.ts')).toMatchObject(expected);
  });
});

describe.each(hasOlderNode ? ['newer', 'older'] : ['newer'])('the command, with the %s Node', (which) => {
  const node = () => (which === 'older' ? olderNode : execPath);
  const command = (args: string[], settings: NodeJS.ProcessEnv = {}) =>
    run(node(), [commandOf(installed.project), ...args], {
      cwd: installed.project,
      env: settings,
    });

  test('shows its help', async () => {
    const help = await command(['--help']);
    const names = [...help.slice(help.indexOf('Commands:')).matchAll(/^ {2}(\S+)/gm)].map(([, name = '']) => name);
    expect(names).toEqual(expect.arrayContaining(['api', 'consumer', 'migrate', 'operator', 'services']));
    for (const name of names.filter((one) => one !== 'help'))
      expect(await command([name, '--help'])).toContain(`Usage: lanekeeper ${name}`);
  });

  test('is not needed to test a processor', async () => {
    await run(node(), ['processor-test.ts'], { cwd: installed.project });
  });

  test('is not needed by a back end with the library', async () => {
    const file = which === 'older' ? 'service.js' : 'service.ts';
    await using world = await openWorld();
    const { mongodbUrl, rabbitmqUrl, queuePrefix, lanes } = world.config;
    const servers = { MONGODB_URL: mongodbUrl, RABBITMQ_URL: rabbitmqUrl };
    const settings = { ...servers, QUEUE_PREFIX: queuePrefix, LANES: String(lanes) };
    const output = await run(node(), [file], { cwd: installed.project, env: settings });
    const outcomes = output.split('\n').filter((line) => line.startsWith('{"status"'));
    expect(outcomes.map((line) => JSON.parse(line))).toEqual([
      { status: 'done', result: { user: 'auth0|6571', seq: 1, request: { amount: 5 } } },
      { status: 'failed', error: 'UnrecoverableError' },
    ]);
  });

  test('serves requests with a typed processor, in threads, workers and isolated processes', async () => {
    const script = commandOf(installed.project);
    await serveRequests({ node: node(), script, cwd: installed.project }, { PROCESSOR: './processor.ts' });
  });
});

test('a processor in this checkout imports lanekeeper without a build', async () => {
  const { outcomes } = await runProcessor(join(root, 'examples/device-commands/processor.ts'));
  expect(outcomes[0]).toMatchObject({ kind: 'failed', error: { name: 'UnrecoverableError' } });
});
