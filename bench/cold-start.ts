/**
 * `npm run bench:cold-start`: how long the function `enqueue` takes from the start of its process to its first 202, as the image has it, with
 * connections to both servers; and how long its next calls take. docs/images.md has the figures.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
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

/** What any process takes, on this machine and at this moment. */
const bareNode = async (): Promise<number> => {
  const began = performance.now();
  await execa(execPath, ['-e', '0']);
  return performance.now() - began;
};

/** Without types: Node would need time to strip them. */
const writeScript = (folder: string): string => {
  const script = join(folder, 'cold-start.mjs');
  const source = readFileSync(join(import.meta.dirname, 'cold-start-function.ts'), 'utf8');
  writeFileSync(script, stripTypeScriptTypes(source));
  return script;
};

/** As the Dockerfile makes it. */
const makeBundle = async (folder: string): Promise<void> => {
  await execa(execPath, ['--no-warnings', join(root, 'tools', 'bundle-functions.ts'), folder]);
  await execa(execPath, ['-e', "require('./functions/load.cjs').compile()"], { cwd: folder });
};

await runTool(async () => {
  const { rabbitmq, mongodb } = await ensureServices({ root, say: sayAside, env });
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-cold-start-'));
  const name = `cold-start-${randomBytes(5).toString('hex')}`;
  const url = new URL(mongodb.url);
  url.pathname = `/${name}`;
  const settings = {
    ...{ MONGODB_URL: url.href, RABBITMQ_URL: rabbitmq.url, QUEUE_PREFIX: `${name}.`, LOG_LEVEL: 'error' },
    ...{ JWT_SECRET: randomBytes(24).toString('hex'), BCRYPT_COST: '4' },
  };
  const stores = openStores({ mongodbUrl: url.href, storeTimeoutMs: 20_000, autoMigrate: 1 });
  try {
    await makeBundle(folder);
    const script = writeScript(folder);
    const child = async (more: Record<string, string>): Promise<string> =>
      (await execa(execPath, [script, folder], { env: { ...settings, ...more } })).stdout;
    await stores.userQueues.get(['none']);
    const TOKEN = await child({});
    const [starts, bare]: [Start[], number[]] = [[], []];
    for (let start = 0; start < Number(values.starts); start += 1) {
      bare.push(await bareNode());
      starts.push(JSON.parse(await child({ TOKEN })));
    }
    const figures: [string, number[]][] = [
      ['`node -e 0`, to the end of the process', bare],
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
