import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process, { execPath } from 'node:process';
import { afterAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { connectNewUser } from '../../tools/new-user.ts';
import { root } from '../../tools/run-tool.ts';
import { command, run, startDev } from './support/lanekeeper.ts';

const scratch = mkdtempSync(join(tmpdir(), 'lanekeeper-init-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** As `npm i` would leave it, with the checkout in the place of the package. */
const install = (folder: string): void => {
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'lanekeeper'));
  symlinkSync(join(root, 'node_modules', '@types'), join(folder, 'node_modules', '@types'));
};

test('lanekeeper init writes a project whose dev, test and types work', async () => {
  const { stdout } = await command(scratch, ['init', 'my-Shop']);
  expect(stdout).toContain('cd my-Shop\n');
  const folder = join(scratch, 'my-Shop');
  install(folder);
  expect(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name).toBe('my-shop');
  const tested = await run(folder, execPath, ['--test']);
  expect(tested).toMatchObject({ code: 0, stdout: expect.stringMatching(/pass 2\n/) });
  const typed = await run(folder, execPath, [join(root, 'node_modules', '.bin', 'tsc'), '-p', folder]);
  expect(typed).toMatchObject({ code: 0, stdout: '' });

  await using dev = await startDev(folder);
  await dev.line(/Lanekeeper runs at/);
  const user = await connectNewUser(dev.url, 'ada');
  const request = await user.enqueue({ item: 'tea', amount: 5 });
  expect(await request.result()).toMatchObject({ user: 'ada', seq: 1, ordered: 5 });

  // The first request of the project's README, with the servers that `dev` noted.
  const [, calls = ''] =
    /^Send a request.*\n\n((?: {4}.*\n)+)/m.exec(readFileSync(join(folder, 'README.md'), 'utf8')) ?? [];
  const script = calls
    .replaceAll('http://localhost:3000', dev.url)
    .replaceAll('npx lanekeeper', `${execPath} ${join(root, 'tools', 'lanekeeper.ts')}`);
  const { stdout: answers } = await run(folder, 'sh', ['-c', script], { PATH: process.env.PATH });
  expect(answers).toMatch(/"seq":1[\s\S]*"status":"done"[\s\S]*"ordered":5/);
}, 180_000);

test('lanekeeper init writes nothing where it would overwrite a file, and says which', async () => {
  const folder = mkdtempSync(join(scratch, 'taken-'));
  writeFileSync(join(folder, 'README.md'), 'mine');
  const { code, stderr } = await command(folder, ['init']);
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^Nothing was written: README\.md already exists in .*\nChoose another folder: lanekeeper init /,
  );
  expect(readFileSync(join(folder, 'README.md'), 'utf8')).toBe('mine');
  expect(existsSync(join(folder, 'package.json'))).toBe(false);
}, 30_000);

test('the containers of a new project run the command that its package has, on servers that they wait for', async () => {
  await command(scratch, ['init', 'contained']);
  const read = (file: string) => readFileSync(join(scratch, 'contained', file), 'utf8');
  const { services, volumes } = parse(read('docker-compose.yml'), { merge: true });
  expect(services.api).toMatchObject({ build: '.', command: ['lanekeeper', 'api'] });
  expect(services.consumer).toMatchObject({ build: '.', command: ['lanekeeper', 'consumer'] });
  for (const name of ['api', 'consumer'])
    expect(Object.keys(services[name].depends_on).filter((server) => !services[server].healthcheck)).toEqual([]);
  for (const name of ['api', 'consumer']) expect(services[name].restart).toBe('unless-stopped');
  // Whoever reads the processor's environment must not be able to sign tokens.
  const { JWT_SECRET: secret, ...shared } = services.api.environment;
  expect(secret).toMatch(/^\$\{JWT_SECRET:\?/);
  expect(services.consumer.environment).toEqual(shared);
  expect(Object.keys(volumes)).toEqual(['rabbitmq-data', 'mongodb-data']);
  expect(read('Dockerfile')).toMatch(
    /^COPY package.json package-lock.json[\s\S]*^USER node$[\s\S]*^CMD \["lanekeeper", "consumer"\]$/m,
  );
  for (const file of ['.dockerignore', '.gitignore']) expect(read(file)).toMatch(/^node_modules[\s\S]*^\.env$/m);
}, 30_000);
