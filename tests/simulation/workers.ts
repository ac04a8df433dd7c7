/**
 * Simulated workers: the production lane worker in a simulated process that faults may kill, cut off, freeze or stop.
 */
import { isDeepStrictEqual } from 'node:util';
import { sleep } from '../../lib/clock.ts';
import type { LaneDeps } from '../../lib/lanes/context.ts';
import { type LaneWorker, startLaneWorker } from '../../lib/lanes/lane-worker.ts';
import type { LaneObserver, RunRequest } from '../../lib/ports.ts';
import { createPlanRun } from '../../lib/runs/plan.ts';
import type { MemoryConnection } from '../../lib/testing/memory-broker.ts';
import { createMemoryStores } from '../../lib/testing/memory-stores.ts';
import type { Outcome, Run } from '../../lib/types.ts';
import { capsOf, heldBytesOf, type Work } from './scenario.ts';
import type { SimulatedProcess } from './scheduler.ts';
import type { SimulatedWorld } from './world.ts';

export type SimulatedWorker = { process: SimulatedProcess; connection: MemoryConnection; worker: LaneWorker };

export type Workers = {
  start(): void;
  live(): SimulatedWorker[];
  kill(worker: SimulatedWorker): void;
  /** Stops the worker as SIGTERM does. After the grace period the stop counts as a kill. */
  stop(worker: SimulatedWorker): void;
  /** The number of runs in progress on live workers. */
  running(): number;
};

/** Short times, so that every timeout of the protocol occurs in a short run. */
export const timeouts = {
  gapTimeoutMs: 1_000,
  stuckAfterMs: 2_000,
  sweepMs: 1_500,
  balanceMs: 2_000,
  flushMs: 500,
  graceMs: 2_000,
  batonRenewMs: 7_000,
  storeTimeoutMs: 5_000,
  frozenAfterMs: 4_000,
  runTimeoutMs: 1_000,
};

const runErrorOf = (message: string) => ({ name: 'Error', message });

const resultOf = (attempt: number): string => String(attempt);

const outcomeOf = ({ ends, backOffMs }: Work, attempt: number): Outcome => {
  const end = ends[attempt - 1];
  const error = runErrorOf(`attempt ${attempt}`);
  if (end === 'retry') return { kind: end, error, delayMs: backOffMs * attempt };
  if (end === 'failed' || end === 'blocked') return { kind: end, error, reason: 'failed' };
  return { kind: 'done', result: resultOf(attempt) };
};

/** As in production, but an isolated run is one like the others, in a place of its own. */
const planRun = createPlanRun(
  {
    maxAttempts: 1,
    retryBaseMs: 1,
    retryAfterMaxMs: 86_400_000,
    retryMaxMs: 1,
    onFailure: 'skip',
    timeoutMs: timeouts.runTimeoutMs,
    onInterruption: 'rerun',
    ceilings: { timeoutMs: 86_400_000, maxAttempts: 1_000 },
  },
  { maxCrashes: 3 },
);

/** What runs must be what the ledger says, whatever a message said and however often the body was dropped and read again. */
const compareWithLedger = ({ database, wrongBodies }: SimulatedWorld, { userId, seq, body, limits }: Run): void => {
  const entry = database.entries.get(`${userId}:${seq}`);
  if (entry?.body === body && isDeepStrictEqual({ ...entry.limits }, { ...limits })) return;
  wrongBodies.push({ userId, seq, detail: `ran ${body.trim()}, and the ledger says ${entry?.body?.trim()}` });
};

const processorOf =
  ({ clock }: SimulatedProcess, world: SimulatedWorld): RunRequest =>
  async (run) => {
    const { body, attempt, signal } = run;
    compareWithLedger(world, run);
    const work = JSON.parse(body) as Work;
    const { ms, honorsSignal } = work;
    await sleep(clock, ms, honorsSignal ? signal : undefined);
    if (honorsSignal && signal.aborted) return { kind: 'retry', error: runErrorOf('aborted'), delayMs: 50 };
    return outcomeOf(work, attempt);
  };

export const createWorkers = (world: SimulatedWorld): Workers => {
  const { scenario, scheduler, database, broker, history, log } = world;
  const workers: SimulatedWorker[] = [];
  const running = new Map<SimulatedProcess, number>();
  let started = 0;

  const observerOf = (process: SimulatedProcess): LaneObserver => {
    const worker = process.name;
    const record = (event: Parameters<typeof history.push>[0], change = 0): void => {
      if (!process.isAlive()) return;
      running.set(process, (running.get(process) ?? 0) + change);
      history.push(event);
      world.trace?.(worker, `* ${event.kind}`, event);
    };
    const at = () => scheduler.timestamp();
    return {
      laneTaken: ({ lane, fencingToken }) => world.trace?.(worker, `* took lane ${lane}, token ${fencingToken}`),
      laneReleased: ({ lane, reason }) => world.trace?.(worker, `* released lane ${lane}: ${reason}`),
      runStarted: ({ userId, seq, attempt, fencingToken }) =>
        record({ kind: 'started', userId, seq, attempt, fencingToken, worker, at: at() }, 1),
      runEnded: ({ userId, seq, attempt, fencingToken, outcome }) => {
        const result = outcome === 'done' ? resultOf(attempt) : undefined;
        record({ kind: 'ended', userId, seq, attempt, fencingToken, outcome, result, worker, at: at() }, -1);
      },
      runAskedToEnd: ({ userId, seq }) => world.trace?.(worker, `* asked to end ${userId}/${seq}`),
      runUnresponsive: ({ userId, seq }) => world.trace?.(worker, `* unresponsive ${userId}/${seq}`),
      settled: ({ userId, seq, status, fencingToken }) =>
        record({ kind: 'settled', userId, seq, status, fencingToken, worker, at: at() }),
      deadLettered: ({ userId, seq, reason }) => world.trace?.(worker, `* dead-lettered ${userId}/${seq}: ${reason}`),
      swept: ({ stuck }) => {
        if (stuck > 0) world.trace?.(worker, `* swept: ${stuck} stuck`);
      },
    };
  };

  const start = (): void => {
    started += 1;
    const heldBytes = heldBytesOf(scenario);
    const caps = capsOf(scenario);
    const maxOpenQueues = caps[(started - 1) % caps.length] ?? 0;
    const { lanes: laneCount, concurrency, idleTimeoutMs, stuckAfterMs = timeouts.stuckAfterMs } = scenario;
    const process = world.processOn(started, `w${started}`);
    const step = world.stepOf(process, 'worker');
    // A queue that is deleted between its declaration and its consumer closes the lane's channel, as a cut would.
    const connection = broker.connect(step, () => world.note('connection-cut', { target: process.name }));
    world.connections.set(process.name, connection);
    const { userQueues, ledger, lanes, workers: signs } = createMemoryStores(step, database);
    const deps: LaneDeps = {
      clock: world.clockOf(process),
      log,
      userQueues: scenario.sweep ? userQueues : { ...userQueues, stuck: async () => [] },
      ledger,
      lanes,
      workers: signs,
      publisher: connection.publisher,
      laneBroker: connection.laneBroker,
      planRun,
      runRequest: processorOf(process, world),
      observer: observerOf(process),
      config: {
        ...timeouts,
        lanes: laneCount,
        concurrency,
        isolatedProcesses: 2,
        heldBytes,
        maxOpenQueues,
        idleTimeoutMs,
        stuckAfterMs,
        frozenAfterMs: scenario.frozenAfterMs ?? timeouts.frozenAfterMs,
        pendingPerWorker: 100,
      },
    };
    const wrapped = world.broken?.worker?.(deps, { database, broker, step, host: process.clock }) ?? deps;
    const worker = startLaneWorker(wrapped);
    // A worker that cannot keep its lanes is a defect here: end the campaign.
    void worker.failed.then((error) => {
      throw error;
    });
    const simulated: SimulatedWorker = { process, connection, worker };
    workers.push(simulated);
    void worker.mustRetire.then(() => retire(simulated));
  };

  /** As its primary does. Its process ends what is left in it, and the others are told afterwards. */
  const retire = async (worker: SimulatedWorker): Promise<void> => {
    if (!workers.includes(worker)) return;
    start();
    await worker.worker.retire();
    if (!workers.includes(worker)) return;
    kill(worker);
    const { workerId } = worker.worker.snapshot();
    await Promise.all(workers.map((other) => other.worker.noteGone(workerId)));
  };

  const end = (worker: SimulatedWorker): void => {
    worker.process.kill();
    worker.connection.sever();
    workers.splice(workers.indexOf(worker), 1);
  };

  const kill = (worker: SimulatedWorker): void => {
    if (!workers.includes(worker)) return;
    world.note('worker-killed', { target: worker.process.name });
    end(worker);
  };

  return {
    start,
    live: () => workers,
    kill,
    stop(worker) {
      world.note('worker-stopped', { target: worker.process.name });
      const noteKill = worker.process.clock.after(timeouts.graceMs, () =>
        world.note('worker-killed', { target: worker.process.name }),
      );
      void worker.worker.stop().then(() => {
        noteKill();
        if (!workers.includes(worker)) return;
        // Runs of lost lanes that ignore their signal end with the process.
        if ((running.get(worker.process) ?? 0) > 0) world.note('worker-killed', { target: worker.process.name });
        end(worker);
      });
    },
    running: () => workers.reduce((sum, { process }) => sum + (running.get(process) ?? 0), 0),
  };
};
