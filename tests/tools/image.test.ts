/** What the images contain, without an engine: the bundles that `npm run bundle` makes of the files that the Dockerfile copies. */
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { execPath } from 'node:process';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { execa } from 'execa';
import { readRoutes } from '../../lib/gateway/routes.ts';
import { openStores, type Stores } from '../../lib/store/stores.ts';
import { root } from '../../tools/run-tool.ts';
import { mongodbUrl, uniqueName } from '../support/servers.ts';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-image-'));
const source = join(folder, 'src');
const app = join(source, 'dist', 'bundle');
const url = mongodbUrl(uniqueName('image'));
const linesOf = (name: string): string[] => readFileSync(join(root, name), 'utf8').split('\n');
let stores: Stores;
let printed: string;

/** As Docker does: the last line of .dockerignore that names a path, or a folder above it, decides. */
const isSent = (path: string): boolean => {
  const names = (pattern: string) => pattern === '*' || path === pattern || path.startsWith(`${pattern}/`);
  const rule = linesOf('.dockerignore').findLast((line) => line && names(line.replace('!', '')));
  return rule?.startsWith('!') ?? true;
};

/** The stage that makes the bundles. A COPY of what is not sent fails. */
const copyFiles = (): void => {
  const lines = linesOf('Dockerfile');
  const stage = lines.slice(lines.findIndex((line) => line.endsWith(' AS build')));
  const end = stage.findIndex((line, index) => index > 0 && line.startsWith('FROM '));
  for (const line of stage.slice(0, end).filter((one) => one.startsWith('COPY '))) {
    const [, ...paths] = line.split(' ');
    const target = paths.pop() ?? '';
    for (const path of paths) {
      if (!isSent(path)) throw new Error(`The Dockerfile copies ${path}, which .dockerignore leaves out.`);
      cpSync(join(root, path), join(source, target, target.endsWith('/') ? basename(path) : ''), {
        recursive: true,
        filter: (from) => isSent(relative(root, from)),
      });
    }
  }
};

/** Runs a program of the image to its end, with no package beside it. */
const run = async (args: string[], env: Record<string, string> = {}) => {
  const options = { cwd: app, env: { NODE_ENV: 'production', ...env }, extendEnv: false, reject: false, all: true };
  const { exitCode, all } = await execa(execPath, args, options);
  return { exitCode, all };
};

beforeAll(async () => {
  copyFiles();
  // As npm ci leaves them.
  symlinkSync(join(root, 'node_modules'), join(source, 'node_modules'));
  const { scripts } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
  const [command = '', ...args] = scripts.bundle.split(' ');
  expect(command).toBe('node');
  printed = (await execa(execPath, args, { cwd: source })).stdout;
  rmSync(join(source, 'node_modules'));
  stores = openStores({ mongodbUrl: url, storeTimeoutMs: 10_000, autoMigrate: 1 });
}, 120_000);
afterAll(async () => {
  await stores.drop();
  await stores.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The code that a program loads when it starts, in kB. */
const sizeOf = (file: string): number => Number(new RegExp(`(\\d+) kB {2}${file}$`, 'm').exec(printed)?.[1]);

test('each function of serverless.yml loads less than 3 MB of code', async () => {
  for (const { file } of await readRoutes()) {
    expect(sizeOf(`${file}.js`)).toBeGreaterThan(100);
    expect(sizeOf(`${file}.js`)).toBeLessThan(3_000);
  }
});

test('lanekeeper migrate and lanekeeper operator work in the images', async () => {
  const userId = (await stores.accounts.create('ada', 'hash')) ?? '';
  const script = join(app, 'tools', 'lanekeeper.js');
  const migrated = await run([script, 'migrate'], { MONGODB_URL: url });
  expect(migrated).toMatchObject({ exitCode: 0, all: expect.stringMatching(/all indexes are there$/) });
  const granted = await run([script, 'operator', 'ada'], { MONGODB_URL: url });
  expect(granted).toEqual({ exitCode: 0, all: 'ada is an operator now' });
  expect((await stores.accounts.find(userId))?.role).toBe('operator');
});

test('lanekeeper is in the PATH of the images, and loads each of its commands', async () => {
  const link = linesOf('Dockerfile').find((line) => line.startsWith('RUN ln -s ')) ?? '';
  const [, , , target = '', name] = link.split(' ');
  expect(name).toBe('/usr/local/bin/lanekeeper');
  const script = join(app, target.replace('/app/', ''));
  expect(statSync(script).mode & 0o111).toBe(0o111);
  const { all: help = '' } = await run([script, '--help']);
  const names = [...help.slice(help.indexOf('Commands:')).matchAll(/^ {2}(\S+)/gm)].map(([, found = '']) => found);
  expect(names).toContain('operator');
  for (const command of names.filter((one) => one !== 'help'))
    expect((await run([script, command, '--help'])).all).toContain(`Usage: lanekeeper ${command}`);
});

const started = linesOf('Dockerfile').flatMap((line) => /^CMD \["node", "(\S+)"\]$/.exec(line)?.[1] ?? []);

test('the Dockerfile starts the API and the consumer', () => {
  expect(started).toEqual(['functions/api.js', 'functions/consumer.js']);
});

test.each(started)('%s starts in the image as far as its configuration lets it', async (file) => {
  const { exitCode, all } = await run(['--enable-source-maps', file], { LANES: 'many' });
  expect(exitCode).not.toBe(0);
  expect(all).toContain('LANES');
  expect(all).not.toContain('ERR_MODULE_NOT_FOUND');
});
