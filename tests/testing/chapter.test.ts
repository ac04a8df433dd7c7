/** The examples of docs/testing-processors.md run as they stand there, with `node:test`, and have the right types. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { blocksOf, read, root } from '../docs/support/markdown.ts';

// The compiler takes seconds on a machine that does nothing else.
jest.setTimeout(120_000);

const run = promisify(execFile);
const files = new Map(
  blocksOf(read('docs/testing-processors.md'), 'ts').map((block) => [/^\/\/ (\S+)\n/.exec(block)?.[1] ?? '', block]),
);

/** In the checkout, where `lanekeeper` is the name of its package. */
let folder: string;
beforeAll(async () => {
  await mkdir(join(root, '.data'), { recursive: true });
  folder = await mkdtemp(join(root, '.data', 'testing-chapter-'));
  for (const [name, text] of files) await writeFile(join(folder, name), text);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the tests of the chapter pass', async () => {
  // Without what jest tells its children, node:test prints its usual report.
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
  const tests = [...files.keys()].filter((name) => name.endsWith('.test.ts')).map((name) => join(folder, name));
  const { stdout } = await run(execPath, ['--test', '--test-reporter=tap', ...tests], { env });
  expect(stdout).toMatch(/^# tests 8$/m);
  expect(stdout).toMatch(/^# pass 8$/m);
});

test('the examples have the right types', async () => {
  const tsconfig = { extends: join(root, 'tsconfig.json'), include: ['*.ts'] };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
  await run(execPath, [join(root, 'node_modules', '.bin', 'tsc'), '-p', folder]);
});
