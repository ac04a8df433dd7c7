import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process, { execPath } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import { connect } from 'amqplib';
import mongoose from 'mongoose';
import { ensureServices, stopServices } from '../../tools/services/ensure.ts';
import { withLock } from '../../tools/services/lock.ts';
import { noteRunning, readRunning, stopServer } from '../../tools/services/private-server.ts';
import { freePort, isFree } from '../../tools/services/probe.ts';
import { findBinary, isAlive, killProcess, processOf } from '../../tools/services/processes.ts';
import { type PrivateServer, privateMongodb, privateRabbitmq } from '../support/private-servers.ts';

const root = join(import.meta.dirname, '..', '..');
const scratch = mkdtempSync(join(tmpdir(), 'lanekeeper-services-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const withChannel = async <T>(url: string, work: (channel: Channel) => Promise<T>): Promise<T> => {
  const connection = await connect(url);
  try {
    return await work(await connection.createConfirmChannel());
  } finally {
    await connection.close();
  }
};
type Channel = Awaited<ReturnType<Awaited<ReturnType<typeof connect>>['createConfirmChannel']>>;

const putMessage = (url: string) =>
  withChannel(url, async (channel) => {
    await channel.assertQueue('kept', { durable: true });
    channel.sendToQueue('kept', Buffer.from('still here'), { persistent: true });
    await channel.waitForConfirms();
  });

const takeMessage = (url: string) =>
  withChannel(url, async (channel) => {
    const message = await channel.get('kept', { noAck: true });
    return message ? message.content.toString() : undefined;
  });

const withCollection = async <T>(
  url: string,
  work: (kept: ReturnType<mongoose.Connection['collection']>) => Promise<T>,
): Promise<T> => {
  const connection = await mongoose
    .createConnection(url, { writeConcern: { w: 'majority', journal: true } })
    .asPromise();
  try {
    return await work(connection.collection('kept'));
  } finally {
    await connection.close();
  }
};

const putDocument = (url: string) => withCollection(url, (kept) => kept.insertOne({ text: 'still here' }));
const readDocuments = (url: string) =>
  withCollection(url, async (kept) => (await kept.find().toArray()).map((document) => document.text as string));

const listens = async (server: PrivateServer): Promise<boolean> => !(await isFree(Number(new URL(server.url).port)));

const pidsOf = (server: PrivateServer): number[] => readRunning(server.folder)?.processes.map(({ pid }) => pid) ?? [];

describe('private servers', () => {
  /** Part of another test, because a RabbitMQ takes seconds to start. */
  const expectSecretsToBeKept = (folder: string): void => {
    for (const name of ['settings.json', 'definitions.json', 'running.json', 'home/.erlang.cookie']) {
      expect(statSync(join(folder, name)).mode & 0o077).toBe(0);
    }
    expect(readFileSync(join(folder, 'definitions.json'), 'utf8')).not.toContain('guest');
  };

  test('two RabbitMQs side by side keep their secrets and do not disturb each other; data survives a restart', async () => {
    const both = await Promise.all([privateRabbitmq(), privateRabbitmq()]);
    await using one = both[0];
    await using other = both[1];
    expectSecretsToBeKept(one.folder);
    await putMessage(one.url);
    await putMessage(other.url);
    const processes = readRunning(one.folder)!.processes;

    expect(await one.stop()).toBe(true);
    expect(processes.filter(isAlive)).toEqual([]);
    expect(await listens(one)).toBe(false);
    expect(await takeMessage(other.url)).toBe('still here');

    expect((await one.start()).url).toBe(one.url);
    expect(await takeMessage(one.url)).toBe('still here');
  }, 120_000);

  test('two MongoDBs side by side do not disturb each other; data survives a restart and a SIGKILL', async () => {
    const both = await Promise.all([privateMongodb(), privateMongodb()]);
    await using one = both[0];
    await using other = both[1];
    await putDocument(one.url);

    expect(await one.stop()).toBe(true);
    expect(await listens(one)).toBe(false);
    expect(await readDocuments(other.url)).toEqual([]);
    expect((await one.start()).url).toBe(one.url);
    expect(await readDocuments(one.url)).toEqual(['still here']);

    await putDocument(one.url);
    expect(await one.kill()).toBe(true);
    await one.start();
    expect(await readDocuments(one.url)).toEqual(['still here', 'still here']);
  }, 60_000);

  test('starting a running server finds it, and stopping it twice is harmless', async () => {
    await using server = await privateMongodb();
    const pids = pidsOf(server);
    await server.start();
    expect(pidsOf(server)).toEqual(pids);
    expect(await server.stop()).toBe(true);
    expect(await server.stop()).toBe(false);
  }, 30_000);
});

/** Linux's `exit` ends one thread; `exit_group` would end them all. */
const endMainThread = `
import ctypes, platform, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
print('running', flush=True)
ctypes.CDLL(None).syscall(93 if platform.machine() == 'aarch64' else 60, 0)
`;

describe('stopping', () => {
  test('leaves a process alone that has the pid of an ended one', async () => {
    const stranger = spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(stranger, 'spawn');
    const { pid, birth } = processOf(stranger.pid!);
    const folder = mkdtempSync(join(scratch, 'reused-'));
    noteRunning(folder, { url: 'amqp://127.0.0.1:1', label: 'gone', processes: [{ pid, birth: `${birth}0` }] });

    expect(await stopServer(folder)).toBe(false);
    expect(isAlive({ pid, birth })).toBe(true);

    noteRunning(folder, { url: 'amqp://127.0.0.1:1', label: 'ours', processes: [{ pid, birth }] });
    expect(await stopServer(folder)).toBe(true);
    expect(isAlive({ pid, birth })).toBe(false);
  });

  const withPython = process.platform === 'linux' && findBinary('python3') ? test : test.skip;
  withPython('treats a process as alive while any of its threads runs: they hold its port', async () => {
    const python = spawn('python3', ['-c', endMainThread], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(python.stdout, 'data');
    const started = processOf(python.pid!);
    while (!readFileSync(`/proc/${started.pid}/stat`, 'utf8').includes(') Z ')) await sleep(10);
    expect(isAlive(started)).toBe(true);
    await killProcess(started);
    expect(isAlive(started)).toBe(false);
  });
});

/** A process that runs this TypeScript. Its imports start at the checkout's folder. */
const runScript = (source: string) =>
  spawn(execPath, ['--no-warnings', '--input-type=module-typescript', '-e', source], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });

describe('a started process', () => {
  test('outlives the command that started it and holds none of its streams', async () => {
    const command = runScript(`
      import { startDetached } from './tools/services/processes.ts';
      const started = await startDetached({
        file: 'sleep', args: ['60'], env: { PATH: process.env.PATH },
        folder: '${scratch}', logFile: '${join(scratch, 'sleep.log')}',
      });
      console.log(JSON.stringify(started));
    `);
    const chunks: string[] = [];
    command.stdout.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
    await once(command, 'close');
    const started = JSON.parse(chunks.join('')) as { pid: number; birth: string };
    expect(isAlive(started)).toBe(true);
    await killProcess(started);
  });
});

describe('the lock', () => {
  test('lets one command work at a time', async () => {
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await sleep(250);
      inside -= 1;
    };
    const file = join(scratch, 'one.lock');
    await Promise.all([1, 2, 3].map(() => withLock(file, () => undefined, work)));
    expect(most).toBe(1);
  });

  test('is free again when its holder was killed', async () => {
    const file = join(scratch, 'killed.lock');
    const holder = runScript(`
      import { withLock } from './tools/services/lock.ts';
      await withLock('${file}', () => {}, async () => {
        console.log('held');
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      });
    `);
    await once(holder.stdout, 'data');
    const waits = Promise.withResolvers<void>();
    const next = withLock(file, waits.resolve, async () => 'got it');
    await waits.promise;
    holder.kill('SIGKILL');
    expect(await next).toBe('got it');
  });
});

test('without a MongoDB, a RabbitMQ that was started for it is stopped again', async () => {
  const folder = mkdtempSync(join(scratch, 'half-'));
  const said: string[] = [];
  const say = (name: string, line: string) => void said.push(`${name} ${line}`);
  const services = { root: folder, env: { MONGODB_URL: `mongodb://127.0.0.1:${await freePort()}` }, say };
  try {
    await expect(ensureServices(services)).rejects.toThrow('MONGODB_URL');
    expect(said[0]).toMatch(/^rabbitmq +amqp:/);
    expect(readRunning(join(folder, '.data', 'rabbitmq'))).toBeUndefined();
  } finally {
    await stopServices(services, ['rabbitmq']);
  }
}, 60_000);

test('npm run services, twice at the same time, prints the same running servers, to be used in a shell', async () => {
  const run = (...args: string[]) =>
    promisify(execFile)(execPath, ['--no-warnings', 'tools/lanekeeper.ts', 'services', ...args], {
      cwd: root,
      env: process.env,
    });
  const [plain, json] = await Promise.all([run(), run('--json')]);
  const said = [plain, json].map(({ stderr }) =>
    stderr
      .split('\n')
      .filter((line) => / (amqp|mongodb):/.test(line))
      .sort(),
  );
  expect(said[0]).toHaveLength(2);
  expect(said[1]).toEqual(said[0]);
  for (const line of said[0]!) expect(line).toMatch(/ - (named in|already running)/);

  const variables = JSON.parse(json.stdout) as Record<string, string>;
  const script = `${plain.stdout}\nprintf '%s\\n%s' "$RABBITMQ_URL" "$MONGODB_URL"`;
  const { stdout: exported } = await promisify(execFile)('sh', ['-c', script], { env: {} });
  expect(exported.split('\n')).toEqual([variables.RABBITMQ_URL, variables.MONGODB_URL]);
  expect(variables.RABBITMQ_URL).toMatch(/^amqps?:/);
  expect(exported).not.toContain(':***@');
}, 60_000);
