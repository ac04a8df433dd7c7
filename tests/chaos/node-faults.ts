/** Faults of one node of a RabbitMQ cluster. The other two go on. */
import { setTimeout as pause } from 'node:timers/promises';
import type { FaultKind } from '../judge/history.ts';
import type { ClusterNode, RabbitmqCluster } from '../support/rabbitmq-cluster.ts';
import { monotonicMs } from '../system/monotonic.ts';
import type { Injector } from './injector.ts';

/**
 * By then, a node that was frozen or cut off has joined the others again, or never will: RabbitMQ that keeps its metadata in Mnesia
 * does not always notice that its nodes were separated (rabbitmq-server#17319). Whoever watches a cluster then restarts the node.
 */
const rejoinsMs = 30_000;

const untilWhole = async (cluster: RabbitmqCluster, node: ClusterNode): Promise<void> => {
  try {
    await cluster.untilWhole(rejoinsMs);
  } catch {
    await node.kill();
    await node.start();
    await cluster.untilWhole();
  }
};

/** @param cluster without one, no fault finds a target. */
export const createNodeFaults = (cluster: RabbitmqCluster | undefined) => {
  let isWhole = true;

  /** Only while all nodes are there: two that are down at the same time are an outage, and the cluster is meant to survive one. */
  const hit =
    (kind: FaultKind, begin: (node: ClusterNode) => unknown, end: (node: ClusterNode) => unknown): Injector =>
    async ({ random, lastsMs }) => {
      if (!cluster || !isWhole) return [];
      isWhole = false;
      const node = random.pick(cluster.nodes);
      const at = monotonicMs();
      await begin(node);
      await pause(lastsMs);
      await end(node);
      await untilWhole(cluster, node);
      isWhole = true;
      return [{ kind, at, until: monotonicMs() }];
    };

  return {
    'node killed': hit(
      'node-killed',
      (node) => node.kill(),
      (node) => node.start(),
    ),
    'node frozen': hit(
      'node-frozen',
      (node) => node.freeze(),
      (node) => node.thaw(),
    ),
    'node cut off': hit(
      'node-cut-off',
      (node) => node.cutOff(),
      (node) => node.rejoin(),
    ),
  };
};
