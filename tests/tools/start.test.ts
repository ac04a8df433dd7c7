import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process, { execPath } from 'node:process';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { connectNewUser } from '../../tools/new-user.ts';
import { root } from '../../tools/run-tool.ts';
import { freePort, isFree } from '../../tools/services/probe.ts';
import { mongodbUrl, rabbitmqUrl, uniqueName } from '../support/servers.ts';
import { eventually } from '../support/world.ts';
import { removeTraces } from './support/remove-traces.ts';

/** `npm start` with ports and names of its own. It uses the servers of the tests, so it starts none and must stop none. */
const npmStart = async (port: number, env: Record<string, string> = {}) => {
  const name = uniqueName('start');
  const metricsPort = await freePort();
  const child = spawn(execPath, ['--no-warnings', 'tools/start.ts'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      RABBITMQ_URL: rabbitmqUrl(),
      MONGODB_URL: mongodbUrl(name),
      QUEUE_PREFIX: `${name}.`,
      LANES: '2',
      WORKERS: '1',
      PORT: String(port),
      METRICS_PORT: String(metricsPort),
      ...env,
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  const exit = once(child, 'close').then(([code]) => code as number | null);
  const logs = join(root, '.data', 'logs', String(port));
  return {
    child,
    exit,
    metricsPort,
    output: () => output,
    url: `http://127.0.0.1:${port}`,
    /** The whole output of a process, from its log file. */
    log: (process: 'api' | 'consumer') => readFileSync(join(logs, `${process}.log`), 'utf8'),
    /** A line of the output, once it is there. */
    line: (pattern: RegExp) => eventually(`${pattern} in ${output}`, () => pattern.exec(output) ?? undefined, 60_000),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exit;
      await removeTraces(name);
      rmSync(logs, { recursive: true, force: true });
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

/** The calls of the README's tour, for another API, and the answers that its comments give, by call. */
const readmeCalls = (url: string) => {
  const start = readFileSync(join(root, 'README.md'), 'utf8').split('\n## Try it from the repository\n')[1] ?? '';
  const lines = (/^```sh\n(.*?)^```$/ms.exec(start)?.[1] ?? '').trim().split('\n');
  const script = lines.map((line) => line.replace(/^API=.*/, `API=${url}`)).join('\n');
  const spelledOut = lines.filter((line) => line.startsWith('curl')).map((line) => / # (\{.*\})/.exec(line)?.[1]);
  return { script, spelledOut };
};

type Process = { pid: number; parent: number; command: string };

const processes = (): Process[] =>
  execFileSync('ps', ['-e', '-ww', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => {
      const [, pid, parent, state = '', command = ''] = /^ *(\d+) +(\d+) +(\S+) +(.*)$/.exec(line) ?? [];
      return pid && !state.startsWith('Z') ? [{ pid: Number(pid), parent: Number(parent), command }] : [];
    });

const descendantsOf = (root: number): Process[] => {
  const all = processes();
  const below = (parent: number): Process[] =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)]);
  return below(root);
};

const ready = /Lanekeeper runs at/;

describe('npm start', () => {
  test('does what the README promises: its calls get the documented answers, and the demo finds every guarantee kept', async () => {
    await using started = await npmStart(await freePort());
    await started.line(ready);

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

    const demo = await runToEnd(
      execPath,
      ['--no-warnings', 'tools/lanekeeper.ts', 'demo', '--users', '3', '--requests', '20'],
      {
        LANEKEEPER_API: started.url,
      },
    );
    expect(demo.output).toContain(`Watch them at ${started.url}/console, as an operator:`);
    expect(demo.output).toMatch(/^60 requests of 3 users .*\nEvery guarantee was kept\.$/m);
    expect(demo.code).toBe(0);
  }, 90_000);

  test('prints a line for each server and process, what to do next, and a line for each call; its port is taken; Ctrl-C stops everything', async () => {
    const port = await freePort();
    await using started = await npmStart(port);
    await started.line(ready);
    const lines = started.output().trimEnd().split('\n');
    expect(lines.slice(0, 2).sort()).toEqual([
      expect.stringMatching(/^mongodb +mongodb:.* - named in MONGODB_URL$/),
      expect.stringMatching(/^rabbitmq +amqp:\/\/lanekeeper:\*\*\*@.* - named in RABBITMQ_URL$/),
    ]);
    expect(lines.filter((line) => / - ready/.test(line)).sort()).toEqual([
      `api       http://127.0.0.1:${port} - ready`,
      `consumer  http://127.0.0.1:${started.metricsPort} - ready, 1 worker; /healthz and /metrics`,
    ]);
    const box = lines.slice(lines.findIndex((line) => line.startsWith('╭'))).join('\n');
    for (const text of [
      `http://localhost:${port}/docs`,
      `http://localhost:${port}/console`,
      'npm run operator -- --create NAME',
      `LANEKEEPER_API=http://localhost:${port} npm run demo`,
      'Ctrl-C',
    ])
      expect(box).toContain(text);
    for (const text of ['docs/http-api.md', `.data/logs/${port}`]) expect(box).toContain(text);
    // The functions and routes of serverless-offline are in its log file alone.
    expect(started.log('api')).toContain('listDeadLetters');
    expect(started.output()).not.toContain('listDeadLetters');

    const health = await fetch(`${started.url}/health`);
    expect(health.status).toBe(200);
    await started.line(/^api +GET \/health 200 \d+ ms$/m);
    expect((await fetch(`http://127.0.0.1:${started.metricsPort}/healthz`)).status).toBe(200);

    await using next = await npmStart(port);
    expect(await next.exit).toBe(1);
    const taken = `Port ${port} is in use by npm start of this checkout, which still runs (process ${started.child.pid})`;
    expect(next.output()).toContain(taken);

    started.child.kill('SIGINT');
    expect(await started.exit).toBe(0);
    expect(started.output()).toMatch(/^start +SIGINT: stopping.*\napi +stopped\nconsumer +stopped\n$/m);
    expect(await isFree(port)).toBe(true);
    expect(await isFree(started.metricsPort)).toBe(true);
  }, 90_000);

  test('leaves nothing behind when it is killed, whatever runs; the next start says what it found', async () => {
    const port = await freePort();
    const settings = {
      METRICS_PORT: String(await freePort()),
      PROCESSOR: join(root, 'tests', 'runs', 'support', 'processors', 'waiting.ts'),
      GRACE_MS: '60000',
      LOG_LEVEL: 'debug',
    };
    await using killed = await npmStart(port, settings);
    await killed.line(ready);
    // A run that does not end, in a process of its own, because two workers were killed in the middle of it.
    const user = await connectNewUser(killed.url, 'ada');
    await user.enqueue({ ms: 600_000 });
    for (let runs = 1; runs <= 2; runs += 1) {
      const started = () => killed.log('consumer').match(/"msg":"run started"/g)?.length === runs;
      await eventually(`run ${runs}`, started, 60_000);
      const workers = killed.log('consumer').matchAll(/"workerPid":(\d+),"msg":"worker started"/g);
      process.kill(Number([...workers].at(-1)?.[1]), 'SIGKILL');
    }
    const withIsolated = () => {
      const found = descendantsOf(killed.child.pid!);
      return found.some(({ command }) => command.includes('isolated-run')) && found;
    };
    const all = await eventually('an isolated run', withIsolated, 60_000);
    const left = () =>
      processes().filter(({ pid, command }) => all.some((one) => one.pid === pid && one.command === command));
    await using _killed = {
      async [Symbol.asyncDispose]() {
        for (const { pid } of left()) process.kill(pid, 'SIGKILL');
      },
    };

    killed.child.kill('SIGKILL');
    await eventually('all are gone', () => left().length === 0, 10_000);
    // A connection of another test may have the number for a moment.
    await eventually('its port is free', () => isFree(port));
    await eventually('the port of its metrics is free', () => isFree(Number(settings.METRICS_PORT)));

    await using next = await npmStart(port, settings);
    await next.line(
      /An earlier npm start \(process \d+, port \d+\) ended without stopping its processes\. They have ended\./,
    );
    await next.line(ready);
  }, 240_000);

  test('runs a processor of the folder from which npm was called; ends with 1 and the reason when the consumer dies', async () => {
    const port = await freePort();
    const caller = mkdtempSync(join(tmpdir(), 'lanekeeper-caller-'));
    writeFileSync(join(caller, 'mine.ts'), "console.log('mine was loaded');\nexport default async () => 'mine';\n");
    // As under npm --prefix: the working folder is the checkout's.
    await using started = await npmStart(port, { INIT_CWD: caller, PROCESSOR: './mine.ts' });
    await started.line(ready);
    expect(started.output()).toMatch(/^consumer +mine was loaded$/m);
    rmSync(caller, { recursive: true });
    const [, pid] = /"role":"primary","pid":(\d+)|"pid":(\d+),"role":"primary"/.exec(started.log('consumer')) ?? [];
    process.kill(Number(pid), 'SIGKILL');
    expect(await started.exit).toBe(1);
    expect(started.output()).toMatch(/^consumer ended by SIGKILL\. The end of .*consumer\.log:\n\{/m);
    expect(await isFree(port)).toBe(true);
  }, 90_000);

  test('starts nothing when its port is in use, and names the variable that chooses another port', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await using started = await npmStart(port);
    expect(await started.exit).toBe(1);
    expect(started.output()).toMatch(new RegExp(`Port ${port} is in use.*PORT=`));
    other.close();
  }, 30_000);

  test('lists every validation error of the environment before it starts anything', async () => {
    await using started = await npmStart(await freePort(), { LANES: 'many', BCRYPT_COST: '1' });
    expect(await started.exit).toBe(1);
    expect(started.output()).toMatch(/LANES[\s\S]*BCRYPT_COST/);
    expect(started.output()).not.toMatch(/^(rabbitmq|mongodb) /m);
  }, 30_000);
});
