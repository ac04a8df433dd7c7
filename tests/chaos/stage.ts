/** The whole product on its own servers: API processes and consumer containers that faults can hit and replace. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../tools/services/probe.ts';
import type { RabbitmqCluster } from '../support/rabbitmq-cluster.ts';
import { monotonicMs } from '../system/monotonic.ts';
import type { Recorder } from '../system/recorder.ts';
import { type Child, signalPid, startChild } from './child.ts';
import { createRoster, type LostLane } from './roster.ts';
import { type Proxies, type Servers, startServers } from './servers.ts';

/** The clock of the host of one container or one API process. */
export type HostClock = {
  /** Sets it this far ahead of the clock of the servers, or behind it. */
  set(aheadMs: number): void;
  file: string;
};

/** A consumer: one primary with its workers. */
export type Container = {
  /** The part of its workers' names before the `/`. */
  name: string;
  proxies: Proxies;
  isRunning(): boolean;
  /** Resolves when its primary has exited. */
  exited: Promise<unknown>;
  /** The workers that are alive, according to the log of their primary. */
  workerPids(): number[];
  signalPrimary(signal: NodeJS.Signals): void;
  signalWorker(pid: number, signal: NodeJS.Signals): void;
  clock: HostClock;
  /** Whether it is still starting or a fault is hitting it. No other fault may hit it then. */
  busy: boolean;
};

export type Api = {
  name: string;
  proxies: Proxies;
  url: string;
  clock: HostClock;
  /** Kills the process and starts it again after `afterMs`. Resolves when it responds. */
  killAndRestart(afterMs: number): Promise<void>;
  /** Stops the process as a deploy does, and starts it again with the code of this checkout. Resolves when it responds. */
  replace(root: string): Promise<void>;
  busy: boolean;
};

export type Stage = {
  servers: Servers;
  cluster: RabbitmqCluster | undefined;
  env: Record<string, string>;
  apis: Api[];
  containers(): Container[];
  /**
   * Resolves when its workers run.
   *
   * @param root the checkout whose code it runs. Default: that of the stage.
   */
  startContainer(root?: string): Promise<Container>;
  /** The number of hung workers that their primaries found, whether a fault or something else had made them hang. */
  foundHung(): number;
  /** The lanes that the workers lost, for any reason. */
  lostLanes(): LostLane[];
  [Symbol.asyncDispose](): Promise<void>;
};

export type StageOptions = {
  folder: string;
  historyFile: string;
  record: Recorder;
  workers: number;
  containers: number;
  apis: number;
  env?: Record<string, string>;
  /** The file of the processor in this folder. Default: `processor.ts`. */
  processor?: string;
  /** Used in place of a RabbitMQ with one node. */
  cluster?: RabbitmqCluster;
  /** The checkout whose code the processes run at first. The processor is always that of this one. Default: this one. */
  root?: string;
};

/** A failed request blocks its user in every second container. */
const policyOf = (container: number): string => (container % 2 === 0 ? 'block' : 'skip');

const minuteMs = 60_000;

/** Every second host is a minute ahead from the start, the others are a minute behind. */
const openHostClock = (folder: string, name: string, number: number): HostClock => {
  const file = join(folder, `${name}.clock`);
  const set = (aheadMs: number): void => {
    // In one step, because the processes read it all the time.
    writeFileSync(`${file}.new`, String(aheadMs));
    renameSync(`${file}.new`, file);
  };
  set(number % 2 === 0 ? minuteMs : -minuteMs);
  return { set, file };
};

const ownRoot = join(import.meta.dirname, '..', '..');
const file = (name: string, root = ownRoot): string => join(root, 'tests', 'chaos', name);
const readyMs = 90_000;

const until = async (what: string, check: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + readyMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`Timed out after ${readyMs / 1_000} s: ${what}.`);
    await pause(50);
  }
};

/** Short times, so that a minute shows as much as an hour would. */
const settings = {
  QUEUE_PREFIX: 'chaos.',
  LANES: '16',
  AUTO_MIGRATE: '1',
  CONCURRENCY: '4',
  ISOLATED_PROCESSES: '2',
  LOG_LEVEL: 'info',
  JWT_SECRET: 'a-secret-that-only-chaos-knows-0123456789abcdef',
  BCRYPT_COST: '4',
  MAX_WAITING_HASHES: '1000',
  LOGINS_PER_MINUTE: '0',
  REGISTRATIONS_PER_HOUR: '0',
  LOGIN_MAX_DELAY_SECONDS: '0',
  METRICS_PORT: '0',
  MAX_ATTEMPTS: '3',
  RETRY_BASE_MS: '20',
  RETRY_MAX_MS: '500',
  GRACE_MS: '5000',
  GAP_TIMEOUT_MS: '1000',
  IDLE_TIMEOUT_MS: '3000',
  STUCK_AFTER_MS: '2000',
  SWEEP_MS: '700',
  BALANCE_MS: '1500',
  HEARTBEAT_SECONDS: '2',
  FROZEN_AFTER_MS: '6000',
  WORKER_HANG_MS: '2500',
  STORE_TIMEOUT_MS: '2000',
  WEBSOCKET_PING_MS: '2000',
};

export const openStage = async (options: StageOptions): Promise<Stage> => {
  const { folder, record, historyFile } = options;
  const servers = await startServers(options.cluster);
  const env = { ...settings, WORKERS: String(options.workers), HISTORY_FILE: historyFile, ...options.env };
  const containers: (Container & { child: Child; hung(): number; lost: LostLane[] })[] = [];
  let started = 0;

  const startContainer = async (root = options.root ?? ownRoot): Promise<Container> => {
    started += 1;
    const name = `consumer-${started}`;
    const proxies = await servers.openProxies();
    const clock = openHostClock(folder, name, started);
    const roster = createRoster({ name, record, now: monotonicMs });
    const child = startChild({
      script: file('consumer.ts', root),
      root,
      env: {
        FAILURE_POLICY: policyOf(started),
        ...env,
        ...proxies.env,
        CONSUMER_NAME: name,
        HOST_CLOCK_FILE: clock.file,
        PROCESSOR: file(options.processor ?? 'processor.ts'),
      },
      logFile: join(folder, `${name}.log`),
      onLine: roster.onLine,
    });
    const container = {
      name,
      proxies,
      child,
      hung: roster.hung,
      lost: roster.lost,
      isRunning: () => !child.hasExited(),
      exited: child.exited,
      workerPids: roster.pids,
      signalPrimary: child.signal,
      signalWorker: signalPid,
      clock,
      busy: true,
    };
    containers.push(container);
    const isUp = () => roster.hasRun(options.workers) || child.hasExited();
    await until(`all workers of ${name} are running`, isUp);
    container.busy = false;
    return container;
  };

  const startApi = async (number: number): Promise<Api & { child(): Child }> => {
    const name = `api-${number}`;
    const proxies = await servers.openProxies();
    const port = await freePort();
    const clock = openHostClock(folder, name, number);
    const url = `http://127.0.0.1:${port}`;
    let root = options.root ?? ownRoot;
    const start = () =>
      startChild({
        script: file('api.ts', root),
        root,
        env: { ...env, ...proxies.env, PORT: String(port), HOST_CLOCK_FILE: clock.file },
        logFile: join(folder, `${name}.log`),
      });
    const isUp = () =>
      fetch(`${url}/health`, { signal: AbortSignal.timeout(3_000) }).then(
        () => true,
        () => false,
      );
    let child = start();
    await until(`${name} responds`, isUp);
    const restart = async (signal: NodeJS.Signals, afterMs: number) => {
      child.signal(signal);
      await child.exited;
      await pause(afterMs);
      child = start();
      await until(`${name} responds again`, isUp);
    };
    return {
      name,
      proxies,
      url,
      clock,
      child: () => child,
      busy: false,
      killAndRestart: (afterMs) => restart('SIGKILL', afterMs),
      replace: async (newRoot) => {
        root = newRoot;
        await restart('SIGTERM', 0);
      },
    };
  };

  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  try {
    const [apis] = await Promise.all([
      Promise.all(numbers(options.apis).map(startApi)),
      Promise.all(numbers(options.containers).map(() => startContainer())),
    ]);
    return {
      servers,
      cluster: options.cluster,
      env,
      apis,
      containers: () => containers.filter((container) => container.isRunning()),
      startContainer,
      lostLanes: () => containers.flatMap(({ lost }) => lost),
      foundHung: () => containers.reduce((sum, container) => sum + container.hung(), 0),
      async [Symbol.asyncDispose]() {
        const running = [...containers.map(({ child }) => child), ...apis.map((api) => api.child())];
        for (const child of running) child.signal('SIGTERM');
        await Promise.all(running.map((child) => child.exited));
        await servers[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await servers[Symbol.asyncDispose]();
    throw error;
  }
};
