/**
 * `npm run test:containers`: builds the images, runs docker-compose.yml with them, the demo inside, the functions under AWS Lambda's
 * emulator, examples/own-image, a project of `lanekeeper init`, and a minute of faults. `--only demo,lambda` runs some of it. Ends with 0 where the machine cannot do it, and says so.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process, { stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { root, runTool } from '../../tools/run-tool.ts';
import { runFaults } from './chaos.ts';
import { type Engine, NoEngineError, openEngine } from './engine.ts';
import { driveFunctions, findEmulator } from './lambda.ts';
import { runNewProject } from './new-project.ts';
import { runOwnImage } from './own-image.ts';
import { openStack, type Stack } from './stack.ts';
import { makeStandIns } from './stand-ins.ts';

const all = 'demo,lambda,own-image,init,faults';
const { values } = parseArgs({ options: { only: { type: 'string', default: all } } });
const parts = values.only.split(',');
/** For the history, the final state and the logs. */
const folder = join(root, '.data', 'containers');

const startedAt = performance.now();
const say = (line: string): void =>
  void stdout.write(`${((performance.now() - startedAt) / 1_000).toFixed(0).padStart(5)} s  ${line}\n`);

const demo = async ({ engine, container }: Stack): Promise<void> => {
  const printed = await engine.run('exec', container('api'), 'lanekeeper', 'demo', '--users', '4', '--requests', '25');
  stdout.write(`${printed.split('\n').slice(-8).join('\n')}\n`);
};

const lambda = async (stack: Stack): Promise<void> => {
  const rie = await findEmulator();
  if (rie) await driveFunctions(stack, rie, say);
  else say("skipped: the functions. AWS Lambda's emulator is not installed, and there is no Go to build it.");
};

const faults = async (stack: Stack): Promise<boolean> => {
  rmSync(folder, { recursive: true, force: true });
  const { violations, counts } = await runFaults({ stack, folder, say });
  for (const { kind, userId, seq, detail } of violations) say(`VIOLATION ${kind} ${userId} ${seq ?? ''}: ${detail}`);
  const counted = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  say(`${violations.length} violations; ${counted.join(', ')}`);
  return violations.length === 0;
};

/** Beside the history, for whoever looks for a cause. */
const keepLogs = async ({ engine, container }: Stack): Promise<void> => {
  mkdirSync(folder, { recursive: true });
  for (const name of [container('api'), container('consumer'), container('consumer', 2), container('rabbitmq')])
    writeFileSync(join(folder, `${name}.log`), await engine.run('logs', name).catch(String));
};

const sizes = async (engine: Engine): Promise<void> => {
  say(`images:\n${await engine.run('images', '--filter', 'label=org.opencontainers.image.title')}`);
};

const runAll = async (engine: Engine): Promise<number> => {
  if (!engine.pulls) await makeStandIns(engine, say);
  const stack = await openStack(engine);
  process.once('SIGINT', () => void stack.down().finally(() => process.exit(130)));
  try {
    say('docker compose up --build');
    await stack.up();
    if (parts.includes('demo')) await demo(stack);
    if (parts.includes('lambda')) await lambda(stack);
    if (parts.includes('own-image')) await runOwnImage(stack, say);
    if (parts.includes('init')) await runNewProject(engine, say);
    const kept = !parts.includes('faults') || (await faults(stack));
    await sizes(engine);
    return kept ? 0 : 1;
  } finally {
    await keepLogs(stack);
    await stack.down();
  }
};

await runTool(async () => {
  const engine = await openEngine().catch((error) => {
    if (!(error instanceof NoEngineError)) throw error;
    say(`skipped: ${error.message}`);
  });
  if (!engine) return 0;
  try {
    return await runAll(engine);
  } finally {
    await engine.close();
  }
});
