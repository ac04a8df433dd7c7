/**
 * `npm run bench:cold-start`: how long the function `enqueue` takes from the start of its process to its first 202, out of its bundle, with
 * connections to both servers; and how long its next calls take. docs/images.md has the figures.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, execPath, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { openStores } from '../lib/store/stores.ts';
import { root, runTool, sayAside } from '../tools/run-tool.ts';
import { ensureServices } from '../tools/services/ensure.ts';
import { markdownTable, spread } from './figures.ts';
import { machine } from './machine.ts';

const { values } = parseArgs({ options: { starts: { type: 'string', default: '21' } } });

type Start = { loadedMs: number; firstMs: number; warmMs: number[] };

await runTool(async () => {
  const { rabbitmq, mongodb } = await ensureServices({ root, say: sayAside, env });
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-cold-start-'));
  const name = `cold-start-${randomBytes(5).toString('hex')}`;
  const url = new URL(mongodb.url);
  url.pathname = `/${name}`;
  const settings = {
    ...{ MONGODB_URL: url.href, RABBITMQ_URL: rabbitmq.url, QUEUE_PREFIX: `${name}.`, LOG_LEVEL: 'error' },
    ...{ JWT_SECRET: randomBytes(24).toString('hex'), BCRYPT_COST: '4', NODE_OPTIONS: '--enable-source-maps' },
    NODE_COMPILE_CACHE: join(folder, '.compile-cache'),
  };
  const child = async (more: Record<string, string>): Promise<string> => {
    const script = join(import.meta.dirname, 'cold-start-function.ts');
    return (await execa(execPath, ['--no-warnings', script, folder], { env: { ...settings, ...more } })).stdout;
  };
  const stores = openStores({ mongodbUrl: url.href, storeTimeoutMs: 20_000, autoMigrate: 1 });
  try {
    await execa(execPath, ['--no-warnings', join(root, 'tools', 'bundle.ts'), folder]);
    await execa(execPath, [join(folder, 'tools', 'load-functions.js')], { env: settings });
    await stores.userQueues.get(['none']);
    const TOKEN = await child({});
    const starts: Start[] = [];
    for (let start = 0; start < Number(values.starts); start += 1) starts.push(JSON.parse(await child({ TOKEN })));
    const figures: [string, number[]][] = [
      ['from the start of the process: loaded', starts.map(({ loadedMs }) => loadedMs)],
      ['from the start of the process: first 202', starts.map(({ firstMs }) => firstMs)],
      ['each further call', starts.flatMap(({ warmMs }) => warmMs)],
    ];
    const rows = figures.map(([name, times]) => [name, spread(times)]);
    stdout.write(`${machine()}, ${starts.length} starts\n\n${markdownTable(['Time', 'ms'], rows)}\n`);
  } finally {
    await stores.drop();
    await stores.close();
    rmSync(folder, { recursive: true });
  }
});
