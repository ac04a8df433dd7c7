/** A cluster of private RabbitMQ nodes on this machine, which one test owns. Its nodes share one epmd. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  killServer,
  makeFolder,
  noteRunning,
  startOnce,
  stopServer,
  writeJson,
} from '../../tools/services/private-server.ts';
import { freePort, probeRabbitmq } from '../../tools/services/probe.ts';
import { killProcess, type StartedProcess } from '../../tools/services/processes.ts';
import {
  findRabbitmq,
  type Node,
  type NodeSettings,
  nodeOf,
  rabbitmqctl,
  startEpmd,
  startNode,
  urlOf,
} from '../../tools/services/rabbitmq.ts';
import { servers } from '../../tools/services/ways.ts';
import type { PrivateServer } from './private-servers.ts';

const host = '127.0.0.1';

export type ClusterNode = Pick<PrivateServer, 'folder' | 'url' | 'start' | 'stop' | 'kill'>;

export type RabbitmqCluster = {
  nodes: ClusterNode[];
  /**
   * One for each node: every connection to it goes to this node, or to the next one that accepts connections. When a node
   * dies, its connections end.
   */
  urls: string[];
  [Symbol.asyncDispose](): Promise<void>;
};

const clusterNode = (node: Node): ClusterNode => {
  const { folder, settings } = node;
  const url = urlOf(settings);
  const start = async () => {
    const processes: StartedProcess[] = [];
    const running = { url, label: nodeOf(settings), processes };
    await startNode(node, (started) => {
      processes.push(started);
      noteRunning(folder, running);
    });
    return running;
  };
  return {
    folder,
    url,
    start: () => startOnce(folder, probeRabbitmq, start),
    stop: () => stopServer(folder),
    kill: () => killServer(folder),
  };
};

/** The first node starts alone. The others find it by their configuration, and join it at their first start. */
const planNodes = async (binary: string, folder: string, count: number): Promise<Node[]> => {
  const secrets = { password: randomBytes(18).toString('base64url'), cookie: randomBytes(18).toString('hex') };
  const epmd = await freePort();
  const members: NodeSettings[] = [];
  for (let number = 1; number <= count; number += 1) {
    const ports = { amqp: await freePort(), distribution: await freePort(), epmd };
    members.push({ ...secrets, ports, nodeName: `lanekeeper-${number}` });
  }
  const discovery = [
    'cluster_formation.peer_discovery_backend = classic_config',
    ...members.map((member, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${nodeOf(member)}`),
  ];
  return members.map((settings, index) => {
    const nodeFolder = makeFolder(folder, `node-${index + 1}`);
    writeJson(join(nodeFolder, 'settings.json'), settings);
    return { binary, folder: nodeFolder, settings, configuration: index === 0 ? [] : discovery };
  });
};

const firstThatAccepts = async (ports: number[]): Promise<Socket | undefined> => {
  for (const port of ports) {
    const socket = connect({ port, host, noDelay: true });
    const accepted = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    if (accepted) return socket;
  }
  return undefined;
};

/** A load balancer in front of the nodes. */
const startFront = async (ports: number[]) => {
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, async (near) => {
    const track = (socket: Socket, peer?: Socket) => {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        open.delete(socket);
        peer?.destroy();
      });
    };
    track(near);
    const far = await firstThatAccepts(ports);
    if (!far || near.destroyed) {
      far?.destroy();
      near.destroy();
      return;
    }
    track(far, near);
    near.once('close', () => far.destroy());
    near.pipe(far).pipe(near);
  });
  server.listen(0, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
};

export const startRabbitmqCluster = async (count = 3): Promise<RabbitmqCluster> => {
  const binary = findRabbitmq();
  if (!binary) throw new Error(servers.rabbitmq.remedy);
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-cluster-'));
  const planned = await planNodes(binary, folder, count);
  const epmd = await startEpmd(folder, String(planned[0]!.settings.ports.epmd));
  const nodes = planned.map(clusterNode);
  const end = async () => {
    await Promise.all(nodes.map((node) => node.kill()));
    await killProcess(epmd);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const [first, ...others] = nodes;
    await first!.start();
    await Promise.all(others.map((node) => node.start()));
    await rabbitmqctl(first!.folder, ['await_online_nodes', String(count), '--timeout', '60']);
  } catch (error) {
    await end();
    throw error;
  }
  const ports = planned.map(({ settings }) => settings.ports.amqp);
  const fronts = await Promise.all(
    ports.map((_, index) => startFront([...ports.slice(index), ...ports.slice(0, index)])),
  );
  return {
    nodes,
    urls: planned.map(({ settings }, index) =>
      urlOf({ ...settings, ports: { ...settings.ports, amqp: fronts[index]!.port } }),
    ),
    async [Symbol.asyncDispose]() {
      await Promise.all(fronts.map((front) => front.close()));
      await end();
    },
  };
};
