/** The examples of the client that run in a terminal, each started with its one command. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { expect, test } from '@jest/globals';
import { root } from '../../tools/run-tool.ts';
import { freePort } from '../../tools/services/probe.ts';
import { mongodbUrl, rabbitmqUrl, uniqueName } from '../support/servers.ts';
import { eventually } from '../support/world.ts';
import { removeTraces } from '../tools/support/remove-traces.ts';

const scratch = mkdtempSync(join(tmpdir(), 'lanekeeper-examples-'));

/** On the servers of the tests. */
const startExample = async (file: string, settings: Record<string, string> = {}) => {
  const name = uniqueName('example');
  const port = await freePort();
  const child = spawn(execPath, ['--no-warnings', file], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...process.env,
      RABBITMQ_URL: rabbitmqUrl(),
      MONGODB_URL: mongodbUrl(name),
      QUEUE_PREFIX: `${name}.`,
      LANES: '2',
      PORT: String(port),
      METRICS_PORT: String(await freePort()),
      ...settings,
    },
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  return {
    exited,
    output: () => output,
    prints: (text: string) =>
      eventually(text, () => output.includes(text), 60_000).catch((error) => {
        throw new Error(`${error.message} in\n${output}`);
      }),
    type: (line: string) => void child.stdin.write(`${line}\n`),
    endInput: () => void child.stdin.end(),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
      await removeTraces(name);
      rmSync(join(root, '.data', 'logs', String(port)), { recursive: true, force: true });
    },
  };
};

const linesOf = (output: string): string[] => output.trim().split('\n').sort();

test('the order desk ships what was reserved before, though the warehouse is busy, and refuses what is not there', async () => {
  await using desk = await startExample('examples/order-desk/main.ts');
  expect(await desk.exited).toBe(0);
  const [lampsOfAda, , chairsOfBen, , ...cleo] = linesOf(desk.output());
  expect(lampsOfAda).toBe('ada reserve 3 lamp: done {"reserved":3,"item":"lamp","left":2}');
  expect(desk.output()).toContain('ada ship 3 lamp: done {"shipped":3,"item":"lamp"}');
  expect(chairsOfBen).toBe('ben reserve 2 chair: done {"reserved":2,"item":"chair","left":0}');
  expect(desk.output()).toContain('ben ship 2 chair: done {"shipped":2,"item":"chair"}');
  expect(cleo).toEqual([
    expect.stringMatching(/^cleo reserve 9 lamp: failed: /),
    expect.stringMatching(/^cleo ship 9 lamp: failed: /),
  ]);
}, 120_000);

test('the chat agent answers each message after the one before it, and takes back what waits', async () => {
  // Long enough that the second message still waits when it is taken back, on a busy machine too.
  const settings = { MEMORY_FILE: join(scratch, 'memory.sqlite'), THINK_MS: '1000' };
  try {
    await using chat = await startExample('examples/chat-agent/main.ts', settings);
    await chat.prints('You are ada');
    for (const line of ['add milk', 'add eggs', 'remove milk', 'what do I need?']) chat.type(line);
    await chat.prints('You need eggs.');
    for (const line of ['add tea', 'add rice', '/stop']) chat.type(line);
    await chat.prints('(not answered)');
    chat.type('what do I need?');
    chat.endInput();
    expect(await chat.exited).toBe(0);
    const answers = chat.output().match(/(?<=^agent> ).*/gm);
    expect(answers?.slice(0, 4)).toEqual([
      'Noted, 1 on the list.',
      'Noted, 2 on the list.',
      'Noted, 1 on the list.',
      'You need eggs.',
    ]);
    expect(answers?.at(-1)).toBe('You need eggs, tea.');
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}, 120_000);
