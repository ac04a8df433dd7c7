/** Injects the faults of a plan, ends them when their time is over, and records them in the history. */
import { setTimeout as pause } from 'node:timers/promises';
import { StoreUnavailableError } from '../../lib/errors.ts';
import { isSettled } from '../../lib/types.ts';
import type { FaultKind } from '../judge/history.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import { monotonicMs } from '../system/monotonic.ts';
import type { Recorder } from '../system/recorder.ts';
import { createCallerFaults } from './caller-faults.ts';
import { createContainerFaults } from './container-faults.ts';
import { openDirectDeps } from './direct-deps.ts';
import { exclusively, free, type Injector } from './injector.ts';
import { createNodeFaults } from './node-faults.ts';
import type { ChaosFault, PlannedFault } from './plan.ts';
import { createQueueFaults } from './queue-faults.ts';
import { type Random, seededRandom } from './random.ts';
import type { Outage, Server } from './servers.ts';
import type { Api, Container, Stage } from './stage.ts';
import type { SentRequest, Users } from './users.ts';

export type Injected = { fault: ChaosFault; at: number; until: number; target: string | undefined };

/** The shortest and the longest delay of a connection, in each direction. */
const delaysMs = [30, 400] as const;
/** How many users get a run that hangs: more than the slots of a worker. */
const hangingRuns = 8;
/** How long the hanging runs may take, with all that their users have sent before: on a busy machine half a minute is not enough. */
const hangTimeoutMs = 120_000;
const pollMs = 200;
/** How far ahead the clock of a host is set. */
const hostAheadMs = [-60_000, 0, 60_000] as const;

/**
 * Whose connections the faults hit, and to which server. Default: the connections of all processes, to one server or
 * both.
 */
export type Aim = { of: 'apis' | 'containers'; to: 'broker' | 'store' };

export type Faults = {
  /** Resolves when the fault is over: to nothing when it found no target. */
  inject(planned: PlannedFault): Promise<Injected | undefined>;
};

type FaultOptions = { stage: Stage; record: Recorder; users: Pick<Users, 'active' | 'tokens' | 'send'>; aim?: Aim };

export const createFaults = ({ stage, record, users, aim }: FaultOptions): Faults => {
  const { broker, store } = stage.servers;

  const untilSettled = async (requests: SentRequest[]): Promise<void> => {
    const deps = openDirectDeps(stage);
    const deadline = monotonicMs() + hangTimeoutMs;
    // On a busy machine, MongoDB may answer nothing for long although it is up.
    const areSettled = () =>
      deps.ledger.readHeads(requests).then(
        (heads) => heads.every(isSettled),
        (error) => {
          if (error instanceof StoreUnavailableError) return false;
          throw error;
        },
      );
    try {
      while (monotonicMs() < deadline) {
        if (await areSettled()) return;
        await pause(pollMs);
      }
    } finally {
      await Promise.all([deps.publisher.close(), deps.close()]);
    }
  };

  /**
   * MongoDB stays up meanwhile. A run that is lent out by a worker that misses it for long counts as interrupted, and the next owner
   * would run its request again beside the run that cannot be ended.
   */
  const hangRuns: Injector = ({ random }) =>
    store.whileUp(async () => {
      const at = monotonicMs();
      await untilSettled(await users.send('hanging', hangingRuns, random));
      return [{ kind: 'runs-hung', at, until: monotonicMs() }];
    });

  const restart =
    (server: Server, kind: FaultKind, outage: Omit<Outage, 'lastsMs'>): Injector =>
    async ({ lastsMs }) => [{ kind, ...(await server.outage({ ...outage, lastsMs }, monotonicMs)) }];

  const stepDown: Injector = async ({ lastsMs }) =>
    store.stepDown ? [{ kind: 'store-restarted', ...(await store.stepDown(lastsMs, monotonicMs)) }] : [];

  const owners = () => [
    ...(aim?.of === 'apis' ? [] : free(stage.containers())),
    ...(aim?.of === 'containers' ? [] : free(stage.apis)),
  ];

  const hitConnections =
    (
      kind: FaultKind,
      hit: (proxy: TcpProxy, random: Random) => Promise<void> | void,
      end: (proxy: TcpProxy) => Promise<void> | void,
    ): Injector =>
    ({ random, lastsMs }) =>
      exclusively<Container | Api>(owners(), random, async (owner) => {
        const { name, proxies } = owner;
        const { broker, store } = proxies;
        const targets = aim ? [proxies[aim.to]] : random.pick([[broker], [store], [broker, store]]);
        const at = monotonicMs();
        await Promise.all(targets.map((proxy) => hit(proxy, random)));
        await pause(lastsMs);
        for (const proxy of targets) await end(proxy);
        const isApi = stage.apis.some((api) => api === owner);
        return [{ kind: isApi ? 'function-cut-off' : kind, at, until: monotonicMs(), target: name }];
      });

  const killApi: Injector = ({ random, lastsMs }) =>
    exclusively(free(stage.apis), random, async (api) => {
      const at = monotonicMs();
      await api.killAndRestart(lastsMs);
      return [{ kind: 'function-killed', at, until: monotonicMs(), target: api.name }];
    });

  const setHostClock: Injector = ({ random }) =>
    exclusively<Container | Api>(owners(), random, async ({ name, clock }) => {
      const at = monotonicMs();
      clock.set(random.pick(hostAheadMs));
      return [{ kind: 'clock-jumped', at, target: name }];
    });

  const injectors: Record<ChaosFault, Injector> = {
    ...createContainerFaults({ stage, users }),
    'broker stopped': restart(broker, 'broker-restarted', { how: 'stop' }),
    'broker killed': restart(broker, 'broker-restarted', { how: 'kill' }),
    'broker wiped': restart(broker, 'broker-wiped', { how: 'stop', wipe: true }),
    'store stopped': restart(store, 'store-restarted', { how: 'stop' }),
    'store killed': restart(store, 'store-restarted', { how: 'kill' }),
    'store stepped down': stepDown,
    'connections cut': hitConnections(
      'connection-cut',
      (proxy) => proxy.cut(),
      (proxy) => proxy.restore(),
    ),
    'connections delayed': hitConnections(
      'network-slow',
      (proxy, random) => proxy.delay(random.between(...delaysMs)),
      (proxy) => proxy.delay(0),
    ),
    'connections frozen': hitConnections(
      'network-slow',
      (proxy) => proxy.freeze(),
      (proxy) => proxy.thaw(),
    ),
    'connections halved': hitConnections(
      'network-slow',
      (proxy, random) => proxy.freeze(random.pick(['to-server', 'from-server'])),
      (proxy) => proxy.thaw(),
    ),
    'api killed': killApi,
    'host clock set': setHostClock,
    'runs hung': hangRuns,
    ...createCallerFaults({ stage, users }),
    ...createQueueFaults({ stage, activeUsers: users.active }),
    ...createNodeFaults(stage.cluster),
  };

  return {
    inject: async ({ fault, lastsMs, seed }) => {
      const hits = await injectors[fault]({ lastsMs, random: seededRandom(seed) });
      for (const { kind, ...about } of hits) record({ kind: 'fault', fault: kind, ...about });
      const [first] = hits;
      if (!first) return undefined;
      const until = Math.max(...hits.map((hit) => hit.until ?? hit.at));
      const hitsOne = hits.every(({ target }) => target === first.target);
      const target = first.kind.startsWith('node-') ? 'node' : first.target;
      return { fault, at: first.at, until, target: hitsOne ? target : undefined };
    },
  };
};
