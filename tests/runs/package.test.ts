/** The package that people import to write a processor: in this checkout, and packed and installed in a project of its own. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { env, execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { runsSupportFile } from './support/support-file.ts';

jest.setTimeout(60_000);

const root = fileURLToPath(new URL('../..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');
let folder: string;
const staged = () => join(folder, 'staged');
const project = () => join(folder, 'project');

/** Rejects with what the command printed, unless it exits with 0. */
const run = async (file: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) => {
  const path = `${bin}${delimiter}${env.PATH}`;
  try {
    const done = await promisify(execFile)(file, args, { ...options, env: { ...env, PATH: path, ...options.env } });
    return done.stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${file} ${args.join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error });
  }
};

const javaScript = `
  import { RetryAfterError, UnrecoverableError } from 'lanekeeper';
  export const policy = { maxAttempts: 7, retryBaseMs: 10 };
  export default async (request, { userId, seq }) => {
    if (request === 'never') throw new UnrecoverableError('never');
    if (request === 'later') throw new RetryAfterError('later', { retryAfterMs: 12_345 });
    return { id: userId + ':' + seq };
  };
`;

const typeScript = `
  import { type Processor, type ProcessorPolicy, RetryAfterError, UnrecoverableError } from 'lanekeeper';
  export const policy: ProcessorPolicy = { maxAttempts: 7, retryBaseMs: 10 };
  // @ts-expect-error The policy has types.
  export const wrong: ProcessorPolicy = { maxAttempts: 'seven' };
  const processor: Processor = async (request, { userId, seq, signal, logger }) => {
    signal.throwIfAborted();
    logger.child?.({ step: 1 }).info({ seq }, 'begun');
    if (request === 'never') throw new UnrecoverableError('never', { cause: request });
    if (request === 'later') throw new RetryAfterError('later', { retryAfterMs: 12_345 });
    const id: string = userId + ':' + seq;
    return { id };
  };
  export default processor;
`;

const tsconfig = {
  compilerOptions: {
    target: 'es2024',
    module: 'nodenext',
    lib: ['es2024', 'dom'],
    types: [],
    strict: true,
    noEmit: true,
  },
  files: ['processor.ts'],
};

/** Builds the package, packs it, and unpacks it where `npm install` would: no registry is needed. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lanekeeper-package-'));
  const installed = join(project(), 'node_modules', 'lanekeeper');
  await run(execPath, [join(root, 'tools', 'package.ts'), staged()]);
  await run('npm', ['pack', '--pack-destination', folder], { cwd: staged() });
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', join(folder, tarball), '-C', installed, '--strip-components=1']);
  await writeFile(join(project(), 'package.json'), '{ "type": "module" }');
  await writeFile(join(project(), 'tsconfig.json'), JSON.stringify(tsconfig));
  await writeFile(join(project(), 'processor.js'), javaScript);
  await writeFile(join(project(), 'processor.ts'), typeScript);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const runProcessor = async (file: string) => {
  const requests = ['"now"', '"never"', '"later"'];
  const PROCESSOR = resolve(project(), file);
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

describe('the package', () => {
  test('passes publint', async () => {
    expect(await run('publint', ['--strict', staged()])).toContain('All good!');
  });

  test('passes arethetypeswrong as an ESM-only package', async () => {
    await run('attw', ['--pack', staged(), '--profile', 'esm-only']);
  });

  test('holds only what a processor needs', async () => {
    const files = await readdir(join(project(), 'node_modules', 'lanekeeper'));
    expect(files.toSorted()).toEqual(['LICENSE', 'package.json', 'processor.d.ts', 'processor.js']);
  });

  test('runs a JavaScript processor that imports it', async () => {
    expect(await runProcessor('processor.js')).toMatchObject(expected);
  });

  test('type-checks and runs a TypeScript processor that imports it', async () => {
    await run('tsc', ['-p', project()]);
    expect(await runProcessor('processor.ts')).toMatchObject(expected);
  });
});

test('a processor in this checkout imports lanekeeper without a build', async () => {
  const { outcomes } = await runProcessor(join(root, 'examples/device-commands/processor.ts'));
  expect(outcomes[0]).toMatchObject({ kind: 'failed', error: { name: 'UnrecoverableError' } });
});
