import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { connectNewUser } from '../../tools/new-user.ts';
import { eventually } from '../support/world.ts';
import { startDev } from './support/lanekeeper.ts';

const scratch = mkdtempSync(join(tmpdir(), 'lanekeeper-dev-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

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
  const user = await connectNewUser(dev.url, 'ada');
  /** What the processor makes of a request. */
  const result = async (): Promise<unknown> => (await user.enqueue({})).result();
  expect(await result()).toBe('first');
  const becomes = (version: string) => eventually(version, async () => (await result()) === version, 60_000);

  writeFileSync(helper, "export const version: string = 'second';\n");
  await becomes('second');
  await dev.line(/version\.ts changed\n[\s\S]*reloaded in \d+\.\d s/);

  writeFileSync(helper, 'export const version = (\n');
  await dev.line(/version\.ts:\d[\s\S]*not reloaded: the workers with the earlier code go on/);
  expect(await result()).toBe('second');

  writeFileSync(helper, "export const version: string = 'third';\n");
  await becomes('third');
  expect(existsSync(join(folder, '.data', 'logs'))).toBe(true);
}, 240_000);
