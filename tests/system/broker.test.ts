/**
 * RabbitMQ stops and comes back, with or without its data. It is a private server, so the other tests are not affected.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { stopServer } from '../../tools/services/private-server.ts';
import { findRabbitmq, startRabbitmq } from '../../tools/services/rabbitmq.ts';
import { judgeHistory } from '../judge/judge.ts';
import { eventually } from '../support/world.ts';
import { monotonicMs } from './monotonic.ts';
import { openSystem } from './system.ts';

const binary = findRabbitmq();
const running = (line: { msg?: string }) => line.msg === 'worker running';

const privateBroker = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-broker-'));
  const start = async () => (await startRabbitmq(binary ?? '', folder)).url;
  return {
    url: await start(),
    start,
    stop: () => stopServer(folder),
    wipe: () => rmSync(join(folder, 'mnesia'), { recursive: true }),
    async [Symbol.asyncDispose]() {
      await stopServer(folder);
      rmSync(folder, { recursive: true });
    },
  };
};

// Without a local RabbitMQ program (RabbitMQ in Docker, for example) this test has no server that it may stop.
(binary ? test : test.skip)(
  'requests are accepted while RabbitMQ is stopped, and processed in order when it is back, with its data and without',
  async () => {
    await using broker = await privateBroker();
    await using system = await openSystem({ RABBITMQ_URL: broker.url, STUCK_AFTER_MS: '1000', SWEEP_MS: '500' });
    const consumer = system.consumer('main', { WORKERS: '2' });
    await consumer.logged(running, 2);
    const clients = await Promise.all(Array.from({ length: 10 }, (_user, n) => system.client(`user-${n}`)));
    let sent = 0;
    const sendAll = async (count: number) => {
      const from = sent;
      sent += count;
      const numbers = Array.from({ length: count }, (_, n) => from + n);
      await Promise.all(
        clients.map(async (client) => {
          for (const n of numbers) await client.enqueue(n);
        }),
      );
    };
    const allRan = () => {
      const history = system.history();
      const ended = history.filter((event) => event.kind === 'ended').map(({ userId, seq }) => `${userId} ${seq}`);
      return new Set(ended).size === history.filter(({ kind }) => kind === 'accepted').length;
    };

    for (const wiped of [false, true]) {
      await sendAll(10);
      const at = monotonicMs();
      await broker.stop();
      await sendAll(10);
      if (wiped) broker.wipe();
      await broker.start();
      system.record({ kind: 'fault', fault: wiped ? 'broker-wiped' : 'broker-restarted', at, until: monotonicMs() });
      await sendAll(5);
      await eventually('all requests have run', allRan, 60_000);
    }

    const answers = await Promise.all(clients.map((client) => client.disconnect()));
    expect(new Set(answers)).toEqual(new Set(['closed']));
    const verdict = judgeHistory(system.history(), await system.final());
    expect(verdict.violations).toEqual([]);
    expect(verdict.counts).toMatchObject({ accepted: 500, refused: 0, done: 500 });
  },
  240_000,
);
