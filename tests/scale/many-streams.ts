/**
 * Opens many streams of events at one API process, each of a user of its own: what they cost while nothing happens, and while requests of some
 * of them run. Private servers. The streams are opened from as many addresses of loopback as one address has no ports for.
 *
 *     node --no-warnings tests/scale/many-streams.ts --streams 10000
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createApiKey } from '../../lib/accounts/api-keys.ts';
import { createPublisher } from '../../lib/broker/publisher.ts';
import { createLogger } from '../../lib/log.ts';
import { userIdOf } from '../../lib/references.ts';
import { acceptRequest } from '../../lib/requests/accept.ts';
import { openStores } from '../../lib/store/stores.ts';
import { startChild } from '../../tools/child.ts';
import { closedLoop, nowMs, openLoop } from '../../tools/load.ts';
import { freePort } from '../../tools/services/probe.ts';
import { privateMongodb, privateRabbitmq } from '../support/private-servers.ts';
import { testConfig, tokenSecret } from '../support/servers.ts';
import { percentile } from './percentile.ts';

type Options = { streams: number; ratePerSecond: number; seconds: number };

const opensInFlight = 50;
const ticksPerSecond = 100;
const processor = fileURLToPath(new URL('./nothing.ts', import.meta.url));

const statusOf = (pid: number) => readFileSync(`/proc/${pid}/status`, 'utf8');
const residentBytes = (pid: number): number => Number(/VmRSS:\s+(\d+) kB/.exec(statusOf(pid))?.[1]) * 1_024;
/** Of all its threads. */
const cpuSeconds = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
};

/** The part of one core that a process uses for so long. */
const loadOver = async (pid: number, seconds: number): Promise<number> => {
  const before = cpuSeconds(pid);
  const startedAt = nowMs();
  await sleep(seconds * 1_000);
  return (cpuSeconds(pid) - before) / ((nowMs() - startedAt) / 1_000);
};

export const measureManyStreams = async (
  { streams, ratePerSecond, seconds }: Options,
  note: (text: string) => void,
): Promise<Record<string, number>> => {
  await using stack = new AsyncDisposableStack();
  const [rabbitmq, mongodb] = await Promise.all([privateRabbitmq(), privateMongodb()]);
  stack.use(rabbitmq);
  stack.use(mongodb);
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-scale-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const config = testConfig({ rabbitmqUrl: rabbitmq.url, mongodbUrl: mongodb.url, lanes: 64, autoMigrate: 1 });
  const log = createLogger('error');
  const stores = openStores(config, log);
  stack.defer(() => stores.close());
  const publisher = createPublisher(config, log);
  stack.defer(() => publisher.close());
  const deps = { ...stores, publisher, hints: publisher.hints, config, log };
  const secret = String((await createApiKey({ name: 'streams', scopes: ['read'] }, stores))?.secret);
  const port = await freePort();
  const env = {
    PATH: process.env.PATH,
    MONGODB_URL: config.mongodbUrl,
    RABBITMQ_URL: config.rabbitmqUrl,
    QUEUE_PREFIX: config.queuePrefix,
    LANES: '64',
    AUTO_MIGRATE: '1',
    PROCESSOR: processor,
  };
  const startPart = (name: string, args: string[], own: Record<string, string>) => {
    const logFile = join(folder, `${name}.log`);
    const onLine = (line: string): void => {
      if (/"level":[4-6]0/.test(line)) note(`${name}: ${line.slice(0, 300)}`);
    };
    const child = startChild({ name, args, env: { ...env, ...own }, logFile, graceMs: 30_000, onLine });
    stack.defer(() => child.kill());
    return child;
  };
  const limit = String(streams + 1_000);
  const limits = { MAX_STREAMS: limit, MAX_KEY_STREAMS: limit, MAX_CONNECTIONS: limit, MAX_STREAM_SECONDS: '3600' };
  const own = { PORT: String(port), JWT_SECRET: tokenSecret, LOG_LEVEL: 'warn', ...limits };
  const api = startPart('api', ['functions/api.ts'], own);
  const consumer = startPart('consumer', ['functions/consumer.ts'], {
    WORKERS: '1',
    METRICS_PORT: String(await freePort()),
  });
  const answers = () =>
    fetch(`http://127.0.0.1:${port}/livez`).then(
      ({ ok }) => ok,
      () => false,
    );
  await api.until('the API answers', 60_000, answers);
  await consumer.until('the lanes are owned', 60_000, async () =>
    (await stores.workers.all()).some(({ lanes }) => lanes.length === 64),
  );
  const pid = api.pid ?? 0;
  /** By user: when its last event came. */
  const settledAt = new Map<number, number>();
  let parts = 0;
  const sockets: Socket[] = [];
  stack.defer(() => {
    for (const socket of sockets) socket.destroy();
  });
  const open = (index: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' });
      sockets.push(socket);
      socket.once('error', reject);
      socket.on('data', (chunk) => {
        parts += 1;
        const text = chunk.toString('latin1');
        if (text.includes('event: settled')) settledAt.set(index, nowMs());
        if (text.includes('event: queue')) resolve();
      });
      const head = `GET /users/user-${index}/events HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n`;
      socket.write(`${head}authorization: Bearer ${secret}\r\n\r\n`);
    });
  await open(0);
  await sleep(2_000);
  const before = residentBytes(pid);
  const startedAt = nowMs();
  await closedLoop({ count: streams - 1, inFlight: opensInFlight }, (index) => open(index + 1));
  const openedMs = nowMs() - startedAt;
  note(`${streams} streams are open after ${Math.round(openedMs)} ms`);
  await sleep(5_000);
  const idleCpu = await loadOver(pid, 20);
  const after = residentBytes(pid);
  note(`idle: ${(100 * idleCpu).toFixed(1)} % of a core, ${parts} parts`);
  const sentAt = new Map<number, number>();
  const enqueue = async (index: number): Promise<void> => {
    const user = (index * 7_919) % streams;
    const reference = `user-${user}`;
    sentAt.set(user, nowMs());
    await acceptRequest({ userId: userIdOf(reference), reference, body: '1' }, deps);
  };
  const load = loadOver(pid, seconds);
  await openLoop({ ratePerSecond, count: ratePerSecond * seconds }, enqueue);
  const busyCpu = await load;
  await consumer.until('all have heard', 30_000, async () => settledAt.size === sentAt.size);
  const waits = [...sentAt].map(([user, at]) => (settledAt.get(user) ?? Number.NaN) - at);
  return {
    openedMs,
    bytesBefore: before,
    bytesPerStream: (after - before) / streams,
    idleCpu,
    busyCpu,
    events: ratePerSecond * seconds * 3,
    toSettledMsP50: percentile(waits, 0.5),
    toSettledMsP99: percentile(waits, 0.99),
  };
};

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      streams: { type: 'string', default: '10000' },
      rate: { type: 'string', default: '100' },
      seconds: { type: 'string', default: '20' },
    },
  });
  const options = {
    streams: Number(values.streams),
    ratePerSecond: Number(values.rate),
    seconds: Number(values.seconds),
  };
  const result = await measureManyStreams(options, (text) => process.stderr.write(`${text}\n`));
  process.stdout.write(`${JSON.stringify({ ...options, ...result }, null, 2)}\n`);
}
