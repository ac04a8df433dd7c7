/** What `lanekeeper dev` makes of its input, and what it does when the consumer does not come up. No server is needed. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Child } from '../../tools/child.ts';
import { command } from '../../tools/commands/dev.ts';
import { fromCaller } from '../../tools/start/environment.ts';
import { keepCodeNew } from '../../tools/start/keep-code-new.ts';
import { projectOf, watchCode } from '../../tools/start/watch-code.ts';
import { eventually } from '../support/world.ts';

const scratch = mkdtempSync(join(tmpdir(), 'lanekeeper-dev-parts-'));
const before = process.cwd();
beforeAll(() => process.chdir(scratch));
afterAll(() => {
  process.chdir(before);
  rmSync(scratch, { recursive: true, force: true });
});

test('PROCESSOR is a path only where it names a file: a folder changes neither a package nor a built-in processor', () => {
  for (const folder of ['echo', 'webhook', 'orders']) mkdirSync(join(scratch, folder));
  writeFileSync(join(scratch, 'processor.ts'), '');
  const names = ['echo', 'webhook', 'orders', 'processor.ts', './later.ts'];
  expect(names.map((PROCESSOR) => fromCaller({ PROCESSOR }).PROCESSOR)).toEqual([
    'echo',
    'webhook',
    'orders',
    join(scratch, 'processor.ts'),
    join(scratch, 'later.ts'),
  ]);
});

test('the watched project is the nearest folder with a package.json, and none above the working folder', () => {
  const home = join(scratch, 'home');
  const project = join(home, 'project');
  mkdirSync(join(project, 'src', 'orders'), { recursive: true });
  writeFileSync(join(home, 'package.json'), '{}');
  const file = join(project, 'src', 'orders', 'processor.ts');
  expect(projectOf(file, project)).toBe(join(project, 'src', 'orders'));
  expect(projectOf(join(project, 'processor.ts'), project)).toBe(project);
  expect(projectOf(file, join(scratch, 'elsewhere'))).toBe(join(project, 'src', 'orders'));
  writeFileSync(join(project, 'package.json'), '{}');
  expect(projectOf(file, project)).toBe(project);
});

test('--watch takes one folder each time, so that the processor may follow it', () => {
  const dev = command()
    .exitOverride()
    .action(() => undefined);
  dev.parse(['--watch', 'rules', '--watch', 'prices', './processor.ts'], { from: 'user' });
  expect([dev.opts().watch, dev.args]).toEqual([['rules', 'prices'], ['./processor.ts']]);
});

test('says why the consumer did not start, and is up only once it has', async () => {
  const folder = join(scratch, 'edited');
  mkdirSync(folder);
  const said: string[] = [];
  let isBroken = true;
  let isUp = false;
  let starts = 0;
  const watchers: ReturnType<typeof watchCode>[] = [];
  const { up } = await keepCodeNew({
    folders: [folder],
    startConsumer: async () => {
      starts += 1;
      if (isBroken)
        throw new Error('consumer ended with code 1. The end of /logs/consumer.log:\n{"msg":"a secret line"}');
      return { death: new Promise<never>(() => undefined), reload: () => undefined } as Partial<Child> as Child;
    },
    isStopping: () => false,
    say: (name, line) => void said.push(`${name} ${line}`),
    watch: (...args) => {
      const watcher = watchCode(...args);
      watchers.push(watcher);
      return watcher;
    },
  });
  void up.then(() => {
    isUp = true;
  });
  try {
    expect(said).toEqual(['consumer consumer ended with code 1.\nIt starts again at the next edit.']);
    expect([starts, isUp]).toEqual([1, false]);
    isBroken = false;
    let edits = 0;
    await eventually(
      'an edit starts it',
      async () => {
        edits += 1;
        writeFileSync(join(folder, 'processor.ts'), `// ${edits}\n`);
        await new Promise((resolve) => setTimeout(resolve, 150));
        return isUp || undefined;
      },
      30_000,
    );
  } finally {
    await Promise.all(watchers.map((watcher) => watcher.close()));
  }
}, 60_000);
