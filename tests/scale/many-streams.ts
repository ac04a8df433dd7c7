/**
 * Opens many streams of events at one API process, each of a user of its own: what they cost while nothing happens, and while requests of some
 * of them run. Private servers. The streams are opened from as many addresses of loopback as one address has no ports for.
 *
 *     node --no-warnings tests/scale/many-streams.ts --streams 10000
 */
import { connect, type Socket } from 'node:net';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createApiKey } from '../../lib/accounts/api-keys.ts';
import { closedLoop, nowMs, openLoop } from '../../tools/load.ts';
import { type Note, openDeployment } from './deployment.ts';
import { percentile } from './percentile.ts';
import { loadOver, residentBytes } from './processes.ts';

type Options = { streams: number; ratePerSecond: number; seconds: number };

const opensInFlight = 50;

export const measureManyStreams = async (
  { streams, ratePerSecond, seconds }: Options,
  note: Note,
): Promise<Record<string, number>> => {
  await using deployment = await openDeployment({ lanes: 64 }, note);
  await using stack = new AsyncDisposableStack();
  const { stores } = deployment;
  const secret = String((await createApiKey({ name: 'streams', scopes: ['read'] }, stores))?.secret);
  const limit = String(streams + 1_000);
  const limits = { MAX_STREAMS: limit, MAX_KEY_STREAMS: limit, MAX_CONNECTIONS: limit, MAX_STREAM_SECONDS: '3600' };
  const [api, consumer] = await Promise.all([deployment.startApi(limits), deployment.startConsumer('consumer', {})]);
  const { port } = api;
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
  const idleCpu = await loadOver([pid], 20);
  const after = residentBytes(pid);
  note(`idle: ${(100 * idleCpu).toFixed(1)} % of a core, ${parts} parts`);
  const sentAt = new Map<number, number>();
  const enqueue = async (index: number): Promise<void> => {
    const user = (index * 7_919) % streams;
    sentAt.set(user, nowMs());
    await deployment.accept(user);
  };
  const load = loadOver([pid], seconds);
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
