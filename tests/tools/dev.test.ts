import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { callApi, connectUser } from '../../tools/api-client.ts';
import { eventually } from '../support/world.ts';
import { startDev } from './support/lanekeeper.ts';

const scratch = mkdtempSync(join(tmpdir(), 'lanekeeper-dev-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** What the processor makes of a request. */
const resultOf = async (api: string, { token, enqueue }: Awaited<ReturnType<typeof connectUser>>): Promise<unknown> => {
  const seq = await enqueue({});
  const { result } = await callApi<{ result: unknown }>(api, `GET /requests/${seq}?wait=20`, { token });
  return result;
};

test('lanekeeper dev serves the newest code: an edit is in use, a broken one keeps the code before, the next repairs it', async () => {
  const folder = join(scratch, 'edited');
  mkdirSync(join(folder, 'rules'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const helper = join(folder, 'rules', 'version.ts');
  writeFileSync(helper, "export const version: string = 'first';\n");
  writeFileSync(
    join(folder, 'orders.ts'),
    "import { version } from './rules/version.ts';\nexport default async () => version;\n",
  );
  await using dev = await startDev(folder, './orders.ts');
  await dev.line(/Lanekeeper runs at/);
  const user = await connectUser(dev.url, 'ada');
  expect(await resultOf(dev.url, user)).toBe('first');
  const becomes = (version: string) =>
    eventually(version, async () => (await resultOf(dev.url, user)) === version, 60_000);

  writeFileSync(helper, "export const version: string = 'second';\n");
  await becomes('second');
  await dev.line(/version\.ts changed\n[\s\S]*reloaded in \d+\.\d s/);

  writeFileSync(helper, 'export const version = (\n');
  await dev.line(/version\.ts:\d[\s\S]*not reloaded: the workers with the earlier code go on/);
  expect(await resultOf(dev.url, user)).toBe('second');

  writeFileSync(helper, "export const version: string = 'third';\n");
  await becomes('third');
  expect(existsSync(join(folder, '.data', 'logs'))).toBe(true);
}, 240_000);
