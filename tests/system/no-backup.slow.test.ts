/** RabbitMQ is thrown away while users send, and an empty one takes its place. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { findRabbitmq } from '../../tools/services/rabbitmq.ts';
import { judgeHistory } from '../judge/judge.ts';
import { privateRabbitmq } from '../support/private-servers.ts';
import { eventually } from '../support/world.ts';
import { monotonicMs } from './monotonic.ts';
import { openSystem } from './system.ts';

const running = (line: { msg?: string }) => line.msg === 'worker running';

(findRabbitmq() ? test : test.skip)(
  'RabbitMQ needs no backup: thrown away under load and replaced by an empty one, it has lost nothing, and the order holds',
  async () => {
    await using broker = await privateRabbitmq();
    await using system = await openSystem({ RABBITMQ_URL: broker.url, STUCK_AFTER_MS: '1000', SWEEP_MS: '500' });
    await system.consumer('main', { WORKERS: '2' }).logged(running, 2);
    const clients = await Promise.all(Array.from({ length: 8 }, (_user, n) => system.client(`user-${n}`)));
    let isOver = false;
    const sending = clients.map(async (client) => {
      for (let n = 0; !isOver; n += 1) {
        await client.enqueue(n);
        // Or they would send thousands while RabbitMQ starts.
        await pause(100);
      }
    });
    const accepted = () => system.history().filter(({ kind }) => kind === 'accepted').length;
    const untilAccepted = (count: number) =>
      eventually(`${count} requests are accepted`, () => accepted() >= count, 60_000);

    await untilAccepted(80);
    const at = monotonicMs();
    await broker.kill();
    broker.wipe();
    await untilAccepted(accepted() + 80);
    await broker.start();
    system.record({ kind: 'fault', fault: 'broker-wiped', at, until: monotonicMs() });
    await untilAccepted(accepted() + 80);
    isOver = true;
    await Promise.all(sending);

    const answers = await Promise.all(clients.map((client) => client.disconnect()));
    expect(new Set(answers)).toEqual(new Set(['closed']));
    const { violations, counts } = judgeHistory(system.history(), await system.final());
    expect(violations).toEqual([]);
    expect(counts).toMatchObject({ refused: 0, done: counts.accepted });
  },
  240_000,
);
