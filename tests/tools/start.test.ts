import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import process, { execPath } from 'node:process';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { connect } from 'amqplib';
import mongoose from 'mongoose';
import { laneQueue } from '../../lib/broker/names.ts';
import { freePort, isFree } from '../../tools/services/probe.ts';
import { mongodbUrl, rabbitmqUrl, uniqueName } from '../support/servers.ts';
import { eventually } from '../support/world.ts';

const root = join(import.meta.dirname, '..', '..');

/** What a consumer with two lanes leaves on the shared servers. */
const removeTraces = async (name: string): Promise<void> => {
  const broker = await connect(rabbitmqUrl());
  const channel = await broker.createChannel();
  for (const lane of [0, 1]) await channel.deleteQueue(laneQueue(`${name}.`, lane));
  await broker.close();
  const store = await mongoose.createConnection(mongodbUrl(name)).asPromise();
  await store.dropDatabase();
  await store.close();
};

/** `npm start` with ports and names of its own; the servers are the tests', so it starts none and must stop none. */
const npmStart = async (port: number) => {
  const name = uniqueName('start');
  const metricsPort = await freePort();
  const child = spawn(execPath, ['--no-warnings', 'tools/start.ts'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      RABBITMQ_URL: rabbitmqUrl(),
      MONGODB_URL: mongodbUrl(name),
      QUEUE_PREFIX: `${name}.`,
      LANES: '2',
      WORKERS: '1',
      PORT: String(port),
      METRICS_PORT: String(metricsPort),
    },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  const exit = once(child, 'exit').then(([code]) => code as number | null);
  return {
    child,
    exit,
    metricsPort,
    output: () => output,
    url: `http://127.0.0.1:${port}`,
    /** A line of the output, once it is there. */
    line: (pattern: RegExp) => eventually(`${pattern} in ${output}`, () => pattern.exec(output) ?? undefined, 60_000),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exit;
      await removeTraces(name);
    },
  };
};

const runToEnd = async (file: string, args: string[], env: Record<string, string> = {}) => {
  const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  const exit = once(child, 'exit');
  const output = await text(child.stdout);
  const [code] = await exit;
  return { code, output };
};

/** The calls of the README's section Start, for another API; and the answers that its comments spell out, by call. */
const readmeCalls = (url: string) => {
  const start = readFileSync(join(root, 'README.md'), 'utf8').split('\n## Start\n')[1] ?? '';
  const lines = (/^```sh\n(.*?)^```$/ms.exec(start)?.[1] ?? '').trim().split('\n');
  const script = lines.map((line) => line.replace(/^API=.*/, `API=${url}`)).join('\n');
  const spelledOut = lines.filter((line) => line.startsWith('curl')).map((line) => / # (\{.*\})/.exec(line)?.[1]);
  return { script, spelledOut };
};

describe('npm start', () => {
  test('does what the README says to someone new: its calls answer as told, and the demo finds every promise kept', async () => {
    await using started = await npmStart(await freePort());
    await started.line(/^ready /m);

    const { script, spelledOut } = readmeCalls(started.url);
    const calls = await runToEnd('sh', ['-euc', script]);
    expect(calls.code).toBe(0);
    const answers = calls.output.trim().split('\n');
    expect(answers).toEqual(spelledOut.map((answer) => answer ?? expect.any(String)));
    expect(answers.map((answer) => JSON.parse(answer))).toMatchObject([
      { username: 'ada' },
      { seq: 1, status: 'queued', position: 1 },
      { seq: 1, status: 'done', result: 'Your Message' },
      { accepted: 1 },
      { queue: 'closed' },
    ]);

    const demo = await runToEnd(execPath, ['--no-warnings', 'tools/demo.ts', '--users', '3', '--requests', '20'], {
      API_URL: started.url,
    });
    expect(demo.output).toMatch(/^60 requests of 3 users .*\nEvery promise was kept\.$/m);
    expect(demo.code).toBe(0);
  }, 90_000);

  test('says when it is ready and what to try, answers, and Ctrl-C stops all it started', async () => {
    const port = await freePort();
    await using started = await npmStart(port);
    await started.line(/^ready .*npm run demo/m);

    const health = await fetch(`${started.url}/health`);
    expect(health.status).toBe(200);
    expect(await health.json()).toMatchObject({ mongodb: { choice: expect.stringContaining('named in MONGODB_URL') } });
    expect((await fetch(`http://127.0.0.1:${started.metricsPort}/healthz`)).status).toBe(200);

    started.child.kill('SIGINT');
    expect(await started.exit).toBe(0);
    expect(await isFree(port)).toBe(true);
    expect(await isFree(started.metricsPort)).toBe(true);
  }, 90_000);

  test('ends with 1 and says why, when the consumer dies; the API goes too', async () => {
    const port = await freePort();
    await using started = await npmStart(port);
    await started.line(/^ready /m);
    const [, pid] = await started.line(/^consumer .*role=primary pid=(\d+)/m);
    process.kill(Number(pid), 'SIGKILL');
    expect(await started.exit).toBe(1);
    expect(started.output()).toMatch(/^start .*consumer ended by SIGKILL/m);
    expect(await isFree(port)).toBe(true);
  }, 90_000);

  test('starts nothing when its port is taken, and names the variable that chooses another', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await using started = await npmStart(port);
    expect(await started.exit).toBe(1);
    expect(started.output()).toMatch(new RegExp(`Port ${port} is taken.*PORT=`));
    other.close();
  }, 30_000);

  test('lists every fault of the environment before it starts anything', async () => {
    const child = spawn(execPath, ['--no-warnings', 'tools/start.ts'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, LANES: 'many', BCRYPT_COST: '1' },
    });
    const chunks: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
    const [code] = await once(child, 'close');
    expect(code).toBe(1);
    expect(chunks.join('')).toMatch(/LANES[\s\S]*BCRYPT_COST/);
  }, 30_000);
});
