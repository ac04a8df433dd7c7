/** What `lanekeeper init` writes: its image, its Compose file and the commands of its README, with the package of this checkout. */
import { deepStrictEqual } from 'node:assert/strict';
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { execa } from 'execa';
import { callApi } from '../../tools/api-client.ts';
import { root } from '../../tools/run-tool.ts';
import { freePort } from '../../tools/services/probe.ts';
import type { Engine } from './engine.ts';
import { untilOk } from './stack.ts';

const project = 'lanekeeper-new-project';

const pack = async (folder: string): Promise<string> => {
  await execa(execPath, ['--no-warnings', join(root, 'tools', 'package.ts'), join(folder, 'package')]);
  const { stdout } = await execa('npm', ['pack', '--json', join(folder, 'package')], { cwd: folder });
  return join(folder, JSON.parse(stdout)[0].filename);
};

/** In the place of the registry, which does not have this version. */
const serveFile = async (file: string) => {
  const server = createServer((_, response) => createReadStream(file).pipe(response)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/lanekeeper.tgz`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
};

/** As `lanekeeper init` and `npm i` leave it. */
const makeProject = async (folder: string, packageUrl: string): Promise<string> => {
  await execa(execPath, [join(root, 'tools', 'lanekeeper.ts'), 'init', 'shop'], { cwd: folder });
  const shop = join(folder, 'shop');
  const manifest = JSON.parse(readFileSync(join(shop, 'package.json'), 'utf8'));
  manifest.dependencies.lanekeeper = packageUrl;
  writeFileSync(join(shop, 'package.json'), JSON.stringify(manifest));
  await execa('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund'], { cwd: shop });
  const [, secrets = ''] = /^ {4}(\(umask 077; .*)$/m.exec(readFileSync(join(shop, 'README.md'), 'utf8')) ?? [];
  await execa('sh', ['-c', secrets], { cwd: shop });
  return shop;
};

/** Enqueues for a user by reference, with a key that the command in the API's container makes. */
const processOne = async (engine: Engine, url: string): Promise<void> => {
  await untilOk('the API of the new project', async () => `${url}/health`);
  const create = ['lanekeeper', 'keys', 'create', 'my-back-end', '--scopes', 'enqueue,read'];
  const token = (await engine.run('exec', `${project}-api-1`, ...create)).trim();
  const { seq } = await callApi<{ seq: number }>(url, 'POST /users/ada/enqueue', {
    token,
    json: { request: { item: 'tea', amount: 5 } },
  });
  const found = await callApi<{ status: string; result: unknown }>(url, `GET /users/ada/requests/${seq}?wait=20`, {
    token,
  });
  deepStrictEqual([found.status, found.result], ['done', { user: 'ada', seq: 1, ordered: 5 }]);
};

export const runNewProject = async (engine: Engine, say: (line: string) => void): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-new-project-'));
  try {
    say('a project of lanekeeper init: building its image');
    await using served = await serveFile(await pack(folder));
    const shop = await makeProject(folder, served.url);
    const PORT = String(await freePort());
    const files = ['new-project.yml', ...(engine.pulls ? [] : ['stand-ins.yml'])];
    const over = files.flatMap((file) => ['-f', join(import.meta.dirname, file)]);
    const names = ['--project-directory', shop, '-p', project, '-f', join(shop, 'docker-compose.yml'), ...over];
    const compose = (...args: string[]) => engine.compose([...names, ...args], { PORT });
    await compose('down', '--volumes', '--timeout', '1');
    try {
      await compose('up', '--build', '--detach', '--quiet-pull');
      await processOne(engine, `http://127.0.0.1:${PORT}`);
      say('a project of lanekeeper init: a request was processed');
    } finally {
      await compose('down', '--volumes', '--timeout', '10');
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
