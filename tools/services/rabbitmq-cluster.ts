/** Three private RabbitMQ nodes on this machine that form a cluster. They share one epmd, a password and a cookie. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, noteRunning, type Running, settingsOf, startOnce, writeJson } from './private-server.ts';
import { probeRabbitmq } from './probe.ts';
import type { StartedProcess } from './processes.ts';
import { dataOf, type Node, type NodeSettings, nodeOf, rabbitmqctl, startEpmd, startNode, urlOf } from './rabbitmq.ts';

const numbers = [1, 2, 3] as const;
const ports = numbers.flatMap((number) => [`amqp-${number}`, `distribution-${number}`] as const);

/**
 * A node that is cut off from the others pauses, so that two halves never go on by themselves. A frozen node counts as down after
 * 10 s instead of a minute: until then, nobody can declare or delete a queue.
 */
const configuration = [
  'cluster_partition_handling = pause_minority',
  'net_ticktime = 10',
  'queue_leader_locator = balanced',
];

/** How the nodes find each other when they are started for the first time. */
const discovery = (members: NodeSettings[]): string[] => [
  'cluster_formation.peer_discovery_backend = classic_config',
  ...members.map((member, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${nodeOf(member)}`),
];

export type Cluster = { epmdPort: string; nodes: Node[] };

/** @param binary the `rabbitmq-server` that the nodes run. */
export const planCluster = async (binary: string, folder: string): Promise<Cluster> => {
  const { ports: chosen, ...secrets } = await settingsOf(folder, [...ports, 'epmd'] as const);
  const members = numbers.map((number): NodeSettings => {
    const own = { amqp: chosen[`amqp-${number}`], distribution: chosen[`distribution-${number}`], epmd: chosen.epmd };
    return { ...secrets, ports: own, nodeName: `lanekeeper-${number}` };
  });
  const nodes = members.map((settings, index) => {
    const nodeFolder = makeFolder(folder, `node-${numbers[index]}`);
    writeJson(join(nodeFolder, 'settings.json'), settings);
    // The first one starts alone, and the others join it.
    return {
      binary,
      folder: nodeFolder,
      settings,
      configuration: [...configuration, ...(index === 0 ? [] : discovery(members))],
    };
  });
  return { epmdPort: String(chosen.epmd), nodes };
};

/** One URL that names all nodes. */
export const urlOfNodes = ([first, ...others]: Node[]): string =>
  [urlOf(first!.settings), ...others.map(({ settings }) => `127.0.0.1:${settings.ports.amqp}`)].join();

/** RabbitMQ 4.0 and 4.1 have it and do not use it by themselves; 3.10 does not have it. */
const useKhepri = async ({ folder, binary }: Node): Promise<void> => {
  const flags = await rabbitmqctl(folder, ['list_feature_flags', '--silent', 'name', 'state'], binary);
  if (!/^khepri_db\s+disabled$/m.test(flags)) return;
  await rabbitmqctl(folder, ['enable_feature_flag', '--experimental', 'khepri_db'], binary);
};

/** Resolves when all nodes have joined. @param start starts one of them. */
export const startNodes = async (nodes: Node[], start: (node: Node) => Promise<void>): Promise<void> => {
  const [first, ...others] = nodes;
  const formed = join(first!.folder, 'cluster-formed');
  const isNew = !existsSync(formed);
  // What a first start left that ended half-way: nodes that do not know each other, and would never join.
  if (isNew) for (const { folder } of nodes) rmSync(dataOf(folder), { recursive: true, force: true });
  const starting = start(first!);
  // Nodes that have been a cluster before wait for each other.
  if (isNew) await starting;
  await Promise.all([starting, ...others.map(start)]);
  await rabbitmqctl(first!.folder, ['await_online_nodes', String(nodes.length), '--timeout', '60'], first!.binary);
  if (isNew) await useKhepri(first!);
  writeFileSync(formed, '');
};

const startAll = async (binary: string, folder: string): Promise<Running> => {
  const { epmdPort, nodes } = await planCluster(binary, folder);
  const running: Running = {
    url: urlOfNodes(nodes),
    label: `private cluster of three RabbitMQ nodes (${binary})`,
    hasRoleUsers: true,
    processes: [],
  };
  const note = (started: StartedProcess) => {
    running.processes.push(started);
    noteRunning(folder, running);
  };
  note(await startEpmd(binary, folder, epmdPort));
  await startNodes(nodes, (node) => startNode(node, note));
  return running;
};

/** Starts the cluster with its data in `folder`, or finds it running there. */
export const startCluster = (binary: string, folder: string): Promise<Running> =>
  startOnce(folder, probeRabbitmq, () => startAll(binary, folder));
