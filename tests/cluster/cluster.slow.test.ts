/** A cluster of three RabbitMQ 4 nodes: how it is started and found again, and what lanes on quorum queues do in it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { connect } from 'amqplib';
import { urlsOfHosts } from '../../lib/server-url.ts';
import { root } from '../../tools/run-tool.ts';
import { stopServer } from '../../tools/services/private-server.ts';
import { killProcess } from '../../tools/services/processes.ts';
import { rabbitmqctl, startEpmd, startNode } from '../../tools/services/rabbitmq.ts';
import { rabbitmq4, whyNoRabbitmq4 } from '../../tools/services/rabbitmq-4.ts';
import { planCluster, startCluster } from '../../tools/services/rabbitmq-cluster.ts';
import { urlForRole } from '../../tools/services/rabbitmq-users.ts';
import { quickRuns } from '../lanes/runs.ts';
import { startRabbitmqCluster } from '../support/rabbitmq-cluster.ts';
import { eventually, openWorld } from '../support/world.ts';

const downloadMs = 400_000;
const testMs = 300_000;
const patientMs = 60_000;
const reason = whyNoRabbitmq4();

(reason ? describe.skip : describe)(`a RabbitMQ cluster${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let binary: string;
  beforeAll(async () => {
    binary = await rabbitmq4(root, { say: () => undefined });
  }, downloadMs);

  test(
    'is started, found again, stopped, and started again with its data',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-cluster-'));
      try {
        const { url } = await startCluster(binary, folder);
        expect((await startCluster(binary, folder)).url).toBe(url);
        expect(urlsOfHosts(url)).toHaveLength(3);
        const first = await connect(urlsOfHosts(urlForRole(url, 'consumer'))[0]!);
        await (await first.createChannel()).assertQueue('lane.1', { arguments: { 'x-queue-type': 'quorum' } });
        await first.close();
        expect(await stopServer(folder)).toBe(true);
        expect((await startCluster(binary, folder)).url).toBe(url);
        const last = await connect(urlsOfHosts(url)[2]!);
        await (await last.createChannel()).checkQueue('lane.1');
        await last.close();
      } finally {
        await stopServer(folder);
        rmSync(folder, { recursive: true, force: true });
      }
    },
    testMs,
  );

  test(
    'is started anew after a first start that ended when only one node had been up',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-cluster-'));
      try {
        const { nodes, epmdPort } = await planCluster(binary, folder);
        const processes = [await startEpmd(binary, folder, epmdPort)];
        await startNode(nodes[0]!, (started) => void processes.push(started));
        await startNode({ ...nodes[1]!, configuration: [] }, (started) => void processes.push(started));
        for (const started of processes.toReversed()) await killProcess(started);

        await startCluster(binary, folder);
        const online = await rabbitmqctl(nodes[1]!.folder, ['eval', 'length(rabbit_nodes:list_running()).'], binary);
        expect(online.trim()).toBe('3');
      } finally {
        await stopServer(folder);
        rmSync(folder, { recursive: true, force: true });
      }
    },
    testMs,
  );

  test(
    'serves every user while one node is down or cut off, and a lane that changes hands again and again',
    async () => {
      await using cluster = await startRabbitmqCluster({ binary, reachedBy: 'hosts' });
      const [first, second, third] = cluster.nodes;
      await using world = await openWorld({ rabbitmqUrl: first!.url, laneQueueType: 'quorum', lanes: 6 });
      const { runRequest, seqs } = quickRuns();
      const [rabbitmqUrl] = cluster.urls;
      const work = () => world.work(runRequest, { config: { rabbitmqUrl } });
      const workers = [work(), work(), work()];
      const users = await Promise.all(Array.from({ length: 12 }, () => world.user()));
      const allServed = async (count: number) => {
        const seq = (await Promise.all(users.map((user) => world.enqueue(user, count)))).map(
          (accepted) => accepted.seq,
        );
        for (const [index, user] of users.entries())
          await eventually('it is settled', async () => (await world.queue(user))!.settled >= seq[index]!, patientMs);
      };
      await allServed(1);

      await second!.kill();
      await allServed(2);
      await second!.start();
      await cluster.untilWhole();

      await third!.cutOff();
      await allServed(3);
      await third!.rejoin();
      await cluster.untilWhole();

      // RabbitMQ 4 drops a message of a quorum queue at its 21st delivery. The baton must never be that message.
      for (let hands = 0; hands < 25; hands += 1) {
        await workers.shift()!.stop();
        workers.push(work());
      }
      await allServed(4);
      for (const user of users) expect(seqs(user)).toEqual([1, 2, 3, 4]);
    },
    testMs,
  );
});
