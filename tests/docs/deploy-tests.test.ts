/** docs/deploy-tests.md against the repository, both ways. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { codesIn, filesUnder, read, root, rowsOf } from './support/markdown.ts';

const page = read('docs/deploy-tests.md');
const rows = rowsOf(page);
/** What no folder of its own holds. */
const elsewhere = ['Dockerfile', '.dockerignore', 'docker-compose.yml', 'serverless.yml'];

/** A row may name a folder with a slash at its end, for all that is in it. */
const isNamed = (file: string): boolean =>
  rows.some(([name]) => name === file || (name.endsWith('/') && file.startsWith(name)));

test('docs/deploy-tests.md names every file that deploys', () => {
  const folders = ['infra', 'deploy', '.github'].filter((folder) => existsSync(join(root, folder)));
  const files = folders.flatMap((folder) => filesUnder(folder, '')).filter((file) => /\.\w+$/.test(file));
  expect([...elsewhere, ...files].filter((file) => !isNamed(file))).toEqual([]);
});

test('docs/deploy-tests.md names only files and tests that exist, and says what a break shows', () => {
  expect(rows.length).toBeGreaterThan(5);
  for (const [name, cells] of rows) {
    expect([name, existsSync(join(root, name))]).toEqual([name, true]);
    const tests = codesIn(cells[2] ?? '').filter((code) => code.startsWith('tests/'));
    expect([name, tests.length > 0]).toEqual([name, true]);
    expect(tests.filter((file) => !existsSync(join(root, file)))).toEqual([]);
    expect([name, (cells[3] ?? '') !== '']).toEqual([name, true]);
  }
});
