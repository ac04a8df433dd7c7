/** What the image contains, without an engine: the files that the Dockerfile copies, with the production packages alone. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { execPath } from 'node:process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { openStores, type Stores } from '../../lib/store/stores.ts';
import { root } from '../../tools/run-tool.ts';
import { mongodbUrl, uniqueName } from '../support/servers.ts';
import { unresolvedImports } from '../support/unresolved-imports.ts';

const app = mkdtempSync(join(tmpdir(), 'lanekeeper-image-'));
const url = mongodbUrl(uniqueName('image'));
const linesOf = (name: string): string[] => readFileSync(join(root, name), 'utf8').split('\n');
const json = (name: string) => JSON.parse(readFileSync(join(root, name), 'utf8'));
let stores: Stores;

/** As Docker does: the last line of .dockerignore that names a path, or a folder above it, decides. */
const isSent = (path: string): boolean => {
  const names = (pattern: string) => pattern === '*' || path === pattern || path.startsWith(`${pattern}/`);
  const rule = linesOf('.dockerignore').findLast((line) => line && names(line.replace('!', '')));
  return rule?.startsWith('!') ?? true;
};

/** A COPY of what is not sent fails. */
const copyFiles = (): void => {
  for (const line of linesOf('Dockerfile').filter((line) => line.startsWith('COPY '))) {
    const [, ...paths] = line.split(' ');
    const target = paths.pop() ?? '';
    for (const source of paths) {
      if (!isSent(source)) throw new Error(`The Dockerfile copies ${source}, which .dockerignore leaves out.`);
      const isFolder = target.endsWith('/');
      cpSync(join(root, source), join(app, target, isFolder ? (source.split('/').at(-1) ?? '') : ''), {
        recursive: true,
        filter: (from) => isSent(relative(root, from)),
      });
    }
  }
};

/** As `npm ci --omit=dev --omit=optional` does, by links. */
const linkPackages = (): void => {
  type Package = { dev?: boolean; optional?: boolean; devOptional?: boolean };
  for (const [path, { dev, optional, devOptional }] of Object.entries<Package>(json('package-lock.json').packages)) {
    const isTopLevel = path.lastIndexOf('node_modules/') === 0;
    if (!isTopLevel || dev || optional || devOptional) continue;
    mkdirSync(dirname(join(app, path)), { recursive: true });
    symlinkSync(join(root, path), join(app, path));
  }
};

/** Runs a command of the image to its end. */
const run = async (command: string, args: string[], env: Record<string, string>) => {
  const [node, ...script] = command.split(' ');
  expect(node).toBe('node');
  const options = { cwd: app, env: { NODE_ENV: 'production', ...env }, extendEnv: false, reject: false, all: true };
  const { exitCode, all } = await execa(execPath, [...script, ...args], options);
  return { exitCode, all };
};

beforeAll(() => {
  copyFiles();
  linkPackages();
  stores = openStores({ mongodbUrl: url, storeTimeoutMs: 10_000, autoMigrate: 1 });
});
afterAll(async () => {
  await stores.drop();
  await stores.close();
  rmSync(app, { recursive: true, force: true });
});

test('npm run migrate works in the image', async () => {
  const { migrate } = json('package.json').scripts;
  const { exitCode, all } = await run(migrate, [], { MONGODB_URL: url });
  expect({ exitCode, all }).toMatchObject({ exitCode: 0, all: expect.stringMatching(/all indexes are there$/) });
});

test('npm run operator works in the image', async () => {
  const userId = (await stores.accounts.create('ada', 'hash')) ?? '';
  const { operator } = json('package.json').scripts;
  const env = { MONGODB_URL: url };
  expect(await run(operator, ['ada'], env)).toEqual({ exitCode: 0, all: 'ada is an operator now' });
  expect((await stores.accounts.find(userId))?.role).toBe('operator');
});

test('the code in the image finds all its imports', async () => {
  const peers = ['mongodb-memory-server-core'];
  const packages = [...Object.keys(json('package.json').dependencies), ...peers];
  expect(await unresolvedImports(app, '.ts', packages)).toEqual([]);
});

test('lanekeeper is in the PATH of the image, and knows its commands', async () => {
  const link = linesOf('Dockerfile').find((line) => line.startsWith('RUN ln -s ')) ?? '';
  const [, , , target = '', name] = link.split(' ');
  expect(name).toBe('/usr/local/bin/lanekeeper');
  const script = join(app, target.replace('/app/', ''));
  expect(statSync(script).mode & 0o111).toBe(0o111);
  const { exitCode, all } = await run(`node ${script}`, ['--help'], {});
  expect({ exitCode, all }).toMatchObject({ exitCode: 0, all: expect.stringContaining('operator') });
});

test.each(['functions/api.ts', 'functions/consumer.ts'])('%s finds all its imports in the image', async (file) => {
  const { exitCode, all } = await run(`node ${file}`, [], { LANES: 'many' });
  expect(exitCode).not.toBe(0);
  expect(all).toContain('LANES');
  expect(all).not.toContain('ERR_MODULE_NOT_FOUND');
});
