/** A cluster of private RabbitMQ nodes on this machine, which one test owns. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kill } from 'node:process';
import { systemClock } from '../../lib/clock.ts';
import { pollUntil } from '../../lib/poll.ts';
import { killServer, noteRunning, startOnce, stopServer } from '../../tools/services/private-server.ts';
import { probeRabbitmq } from '../../tools/services/probe.ts';
import { killProcess, type StartedProcess } from '../../tools/services/processes.ts';
import {
  findRabbitmq,
  type Node,
  nodeOf,
  rabbitmqctl,
  startEpmd,
  startNode,
  urlOf,
} from '../../tools/services/rabbitmq.ts';
import { planCluster, startNodes, urlOfNodes } from '../../tools/services/rabbitmq-cluster.ts';
import { servers } from '../../tools/services/ways.ts';
import type { PrivateServer } from './private-servers.ts';

const host = '127.0.0.1';

export type ClusterNode = Pick<PrivateServer, 'folder' | 'url' | 'start' | 'stop' | 'kill'> & {
  /** SIGSTOP. */
  freeze(): void;
  thaw(): void;
  /** Ends its connections to the other nodes, and lets none come about. Clients still reach it. */
  cutOff(): Promise<void>;
  rejoin(): Promise<void>;
};

export type RabbitmqCluster = {
  nodes: ClusterNode[];
  /** The URLs that processes use in turn. */
  urls: string[];
  /** Resolves when every node is up and connected to the others. @param waitMs how long that may take. */
  untilWhole(waitMs?: number): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

export type ClusterOptions = {
  /** Its `rabbitmq-server`. Default: the installed one. */
  binary?: string;
  /**
   * `load-balancer`: there is a URL for each node. Every connection to it goes to this node, or to the next one that accepts
   * connections; when a node dies, its connections end. `hosts`: there is one URL, which names all nodes.
   */
  reachedBy?: 'load-balancer' | 'hosts';
};

const clusterNode = (node: Node, others: Node[]): ClusterNode => {
  const { folder, settings, binary } = node;
  const url = urlOf(settings);
  let processes: StartedProcess[] = [];
  const start = async () => {
    processes = [];
    const running = { url, label: nodeOf(settings), processes };
    await startNode(node, (started) => {
      processes.push(started);
      noteRunning(folder, running);
    });
    return running;
  };
  const signal = (name: NodeJS.Signals): void => void kill(processes.at(-1)!.pid, name);
  const names = `[${others.map(({ settings }) => `'${nodeOf(settings)}'`).join()}]`;
  const evaluate = async (expression: string) => void (await rabbitmqctl(folder, ['eval', `${expression}.`], binary));
  /** A moment later: a command whose node stops RabbitMQ meanwhile may not end. */
  const later = (expression: string) => `spawn(fun() -> timer:sleep(500), ${expression} end)`;
  return {
    folder,
    url,
    start: () => startOnce(folder, probeRabbitmq, start),
    stop: () => stopServer(folder),
    kill: () => killServer(folder),
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    // Two nodes with different cookies for each other do not connect.
    cutOff: () =>
      evaluate(later(`[begin erlang:set_cookie(N, another), erlang:disconnect_node(N) end || N <- ${names}]`)),
    rejoin: () => evaluate(`[erlang:set_cookie(N, erlang:get_cookie()) || N <- ${names}]`),
  };
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

const openFronts = async (nodes: Node[]) => {
  const ports = nodes.map(({ settings }) => settings.ports.amqp);
  const fronts = await Promise.all(
    ports.map((_, index) => startFront([...ports.slice(index), ...ports.slice(0, index)])),
  );
  return {
    urls: nodes.map(({ settings }, index) =>
      urlOf({ ...settings, ports: { ...settings.ports, amqp: fronts[index]!.port } }),
    ),
    close: async () => void (await Promise.all(fronts.map((front) => front.close()))),
  };
};

const usualWholeMs = 90_000;
/** What the nodes answer when none of them misses another one. */
const whole = '[[],[],[]]';

export const startRabbitmqCluster = async (options: ClusterOptions = {}): Promise<RabbitmqCluster> => {
  const { binary = findRabbitmq(), reachedBy = 'load-balancer' } = options;
  if (!binary) throw new Error(servers.rabbitmq.remedy);
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-cluster-'));
  const planned = await planCluster(binary, folder);
  const epmd = await startEpmd(binary, folder, planned.epmdPort);
  const nodes = planned.nodes.map((node) =>
    clusterNode(
      node,
      planned.nodes.filter((other) => other !== node),
    ),
  );
  const end = async () => {
    await Promise.all(nodes.map((node) => node.kill()));
    await killProcess(epmd);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await startNodes(planned.nodes, async (node) => void (await nodes[planned.nodes.indexOf(node)]!.start()));
  } catch (error) {
    await end();
    throw error;
  }
  const fronts = reachedBy === 'load-balancer' ? await openFronts(planned.nodes) : undefined;
  const all = `[${planned.nodes.map(({ settings }) => `'${nodeOf(settings)}'`).join()}]`;
  // Nodes that reach each other again may all run while Mnesia keeps them apart: each side has queues that the other one does not know.
  const known = `case catch rabbit_khepri:is_enabled() of true -> ${all}; _ -> mnesia:system_info(running_db_nodes) end`;
  const missed = `(${all} -- rabbit_nodes:list_running()) ++ (${all} -- ${known})`;
  const askAll = `[catch erpc:call(N, fun() -> ${missed} end, 5000) || N <- ${all}]`;
  /** What each node misses, as the text of an Erlang term. RabbitMQ itself waits a while: each program that asks costs a second of CPU. */
  const askPatiently = (): Promise<string> => {
    const ask = `Ask = fun Ask(Tries) -> case ${askAll} of Missed when Tries =:= 0; Missed =:= ${whole} -> Missed; _ -> timer:sleep(1000), Ask(Tries - 1) end end, Ask(8).`;
    return rabbitmqctl(planned.nodes[0]!.folder, ['eval', ask], binary).then(
      (answer) => answer.trim(),
      (error: { stderr?: string }) => error.stderr ?? String(error),
    );
  };
  return {
    nodes,
    urls: fronts?.urls ?? [urlOfNodes(planned.nodes)],
    untilWhole: async (waitMs = usualWholeMs) => {
      let answer = '';
      const ask = async () => {
        answer = await askPatiently();
        return answer === whole || undefined;
      };
      if (!(await pollUntil(systemClock, waitMs, ask)))
        throw new Error(`The nodes are not connected after ${waitMs / 1_000} s. Each misses: ${answer}.`);
    },
    async [Symbol.asyncDispose]() {
      await fronts?.close();
      await end();
    },
  };
};
