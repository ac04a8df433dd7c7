/** The package of the client as people install it: checked, in a project of its own, on Node 24 and on the oldest Node. */
import { readdir } from 'node:fs/promises';
import { execPath } from 'node:process';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { hasOlderNode, installOlderNode, installPackage, run } from '../runs/support/installed-package.ts';
import { openLanekeeper } from './support/lanekeeper.ts';

jest.setTimeout(180_000);

let installed: Awaited<ReturnType<typeof installPackage>>;
let olderNode = '';

const program = `
  import { connect, register, RequestFailedError } from '@lanekeeper/client';
  import { createTestClient } from '@lanekeeper/client/testing';
  const inMemory = createTestClient();
  console.log(await (await inMemory.enqueue('in memory')).result());
  const account = { username: process.argv[3], password: 'correct horse 17' };
  await register(process.argv[2], account);
  const lk = await connect(process.argv[2], account);
  console.log(await (await lk.enqueue('over HTTP')).result(), RequestFailedError.name);
  console.log((await lk.disconnect({ waitSeconds: 20 })).queue);
`;

/** In a page's project: without the types of Node. */
const page = `
  import { ApiError, connect, type LanekeeperClient, type RequestState } from '@lanekeeper/client';
  import { createTestClient } from '@lanekeeper/client/testing';
  export const place = async (url: string | URL, amount: number): Promise<number> => {
    const lk: LanekeeperClient = await connect(url, { getToken: () => 'token' });
    const request = await lk.enqueue<{ balance: number }>({ amount }, { signal: AbortSignal.timeout(1_000) });
    for await (const event of request.events()) {
      const state: RequestState<{ balance: number }> = event.request;
      console.log(event.type, state.position);
    }
    return (await request.result()).balance;
  };
  export const adviceOf = (error: unknown): string | undefined =>
    error instanceof ApiError && error.problem.code === 'too-many-pending' ? error.problem.detail : undefined;
  export const stub: LanekeeperClient = createTestClient();
`;

const tsconfig = {
  compilerOptions: {
    ...{ target: 'es2022', module: 'esnext', moduleResolution: 'bundler', lib: ['es2023', 'dom', 'dom.asynciterable'] },
    ...{ types: [], strict: true, noEmit: true, exactOptionalPropertyTypes: true },
  },
  files: ['page.ts'],
};

beforeAll(async () => {
  const files = { 'program.js': program, 'page.ts': page, 'tsconfig.json': JSON.stringify(tsconfig) };
  installed = await installPackage(files, 'package-client.ts');
  if (hasOlderNode) olderNode = await installOlderNode(installed.folder);
}, 300_000);
afterAll(() => installed?.remove());

test('publint and "are the types wrong" find nothing', async () => {
  await run('publint', ['--strict', installed.staged]);
  await run('attw', ['--pack', installed.staged, '--profile', 'esm-only']);
});

test('has the code, its types and what people read, and nothing else', async () => {
  const names = await readdir(installed.staged, { recursive: true });
  const others = names.filter((name) => name.includes('.') && !/\.(js|d\.ts)$/.test(name));
  expect(others.sort()).toEqual(['README.md', 'package.json']);
  expect(names).toContain('LICENSE');
});

test('its types are right in the project of a page', async () => {
  await run('tsc', ['-p', 'tsconfig.json'], { cwd: installed.project });
});

test('works on each Node', async () => {
  await using lanekeeper = await openLanekeeper();
  const expected = 'in memory\nover HTTP RequestFailedError\nclosed\n';
  const runWith = (node: string, user: string) =>
    run(node, ['program.js', lanekeeper.url, user], { cwd: installed.project });
  expect(await runWith(execPath, 'new-node')).toBe(expected);
  if (olderNode) expect(await runWith(olderNode, 'old-node')).toBe(expected);
});
