/** "First result in five lines", as a program on a real API. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { register } from '../../client/index.ts';
import { root } from '../../tools/run-tool.ts';
import { blocksOf, read, section } from '../docs/support/markdown.ts';
import { openLanekeeper } from './support/lanekeeper.ts';

test('the five lines of the README print the result, and end', async () => {
  const [lines = ''] = blocksOf(section(read('README.md'), '### First result in five lines'), 'ts');
  expect(lines.trim().split('\n')).toHaveLength(5);
  await using lanekeeper = await openLanekeeper();
  await register(lanekeeper.url, { username: 'ada', password: 'correct horse' });
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-five-lines-'));
  try {
    const program = lines
      .replace('@lanekeeper/client', pathToFileURL(join(root, 'client', 'index.ts')).href)
      .replace('http://localhost:3000', lanekeeper.url);
    writeFileSync(join(folder, 'five-lines.ts'), program);
    const { stdout } = await promisify(execFile)(execPath, ['--no-warnings', join(folder, 'five-lines.ts')]);
    expect(stdout).toBe('{ amount: 5 }\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);
