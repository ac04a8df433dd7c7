/** What the processes of one simulated run share: the time, the two servers, the faults and the history. */
import { DatabaseClock } from '../../lib/database-clock.ts';
import { BrokerUnavailableError, StoreUnavailableError } from '../../lib/errors.ts';
import type { LedgerChange } from '../../lib/ledger-change.ts';
import { createLogger, type Logger } from '../../lib/log.ts';
import type { Clock } from '../../lib/ports.ts';
import { sharePromise } from '../../lib/shared-promise.ts';
import { createMemoryBroker, type MemoryBroker, type MemoryConnection } from '../../lib/testing/memory-broker.ts';
import { createMemoryDatabase, type MemoryDatabase, type Step } from '../../lib/testing/memory-stores.ts';
import type { FaultKind, HistoryEvent } from '../judge/history.ts';
import type { Break } from './breaks.ts';
import type { Scenario } from './scenario.ts';
import { createScheduler, type Scheduler, type SimulatedProcess } from './scheduler.ts';

/**
 * A call that fails: to which server, by whom, and whether it takes effect before the failure, after it, or not at all.
 */
export type Refusal = { server: 'store' | 'publish'; by: 'worker' | 'function'; effect: 'before' | 'after' | 'late' };

/** `ms`: the virtual time since the start. */
export type Trace = (process: string, what: string, result: unknown, ms: number) => void;
/** A trace without the time. */
export type Note = (process: string, what: string, result?: unknown) => void;

export type SimulatedWorld = {
  scenario: Scenario;
  broken: Break | undefined;
  scheduler: Scheduler;
  database: MemoryDatabase & { journal: LedgerChange[] };
  broker: MemoryBroker;
  history: HistoryEvent[];
  /** Errors that no client may receive and no worker may log. */
  unexpectedErrors: string[];
  /** Sessions that ended before their time. */
  endedEarly: { userId: string; detail: string }[];
  /** The attempts of each request whose run an operator has ended, by its id, at that time. */
  ended: Map<string, number>;
  /** Since when there have been more user queues than the cap allows, and the longest time that this lasted. */
  aboveCap: { sinceMs: number | undefined; longestMs: number };
  /** Runs of something else than the ledger says. */
  wrongBodies: { userId: string; seq: number; detail: string }[];
  log: Logger;
  /** The refusals that the next matching calls will meet. */
  refusals: Refusal[];
  /** `aheadMs`: how far MongoDB's clock has been set ahead. */
  store: { isUp: boolean; aheadMs: number };
  /** The connections of the workers, by the names of the workers. */
  connections: Map<string, MemoryConnection>;
  /** The process that has just taken a lease and has not loaded its users yet. */
  leaseTaker: { name: string | undefined };
  functions: { aheadMs: number };
  /** Creates a process on a host of its own, whose clock is wrong from the start. */
  processOn(host: number, name: string): SimulatedProcess;
  /** The clock that the process uses: it shows MongoDB's time. */
  clockOf(process: SimulatedProcess): Clock;
  /** Resolves when that clock shows MongoDB's time. */
  timeKnown(process: SimulatedProcess): Promise<void>;
  /** Records a fault. Without a target, it hits every process. */
  note(fault: FaultKind, about?: { target?: string; lastsMs?: number }): void;
  trace: Note | undefined;
  /** The steps in which a process calls both servers, including the refusals. */
  stepOf(process: SimulatedProcess, by: Refusal['by']): Step;
};

const isStoreCall = (what: string): boolean => /^(userQueues|ledger|lanes|workers)\./.test(what);
const isPublish = (what: string): boolean => /^(publish|connect)\b/.test(what);
/** How long after its failure a call may still take effect. */
const lateMs = 2_500;

/** Logs errors only, because none is expected. With a trace, logs everything. */
const createSimulationLog = (unexpectedErrors: string[], trace: Note | undefined): Logger =>
  createLogger(
    trace ? 'debug' : 'error',
    {},
    {
      write(line) {
        const { level, msg, err, lane } = JSON.parse(line);
        const text = [
          lane === undefined ? '' : `lane ${lane}: `,
          msg,
          err ? ` (${err.type}: ${err.message})` : '',
        ].join('');
        trace?.('log', text);
        if (level >= 50) unexpectedErrors.push(`logged as an error: ${text} ${err?.stack ?? ''}`);
      },
    },
  );

export const createSimulatedWorld = (
  scenario: Scenario,
  broken: Break | undefined,
  beforeStep: (steps: number) => void,
  onTrace: Trace | undefined,
): SimulatedWorld => {
  const trace: Note | undefined =
    onTrace && ((process, what, result) => onTrace(process, what, result, scheduler.elapsedMs()));
  const scheduler: Scheduler = createScheduler({ seed: scenario.seed, pace: scenario.pace, beforeStep, trace });
  const servers = scheduler.process('broker');
  const database = { ...createMemoryDatabase(), journal: [] };
  const unexpectedErrors: string[] = [];
  const refusals: Refusal[] = [];
  const store = { isUp: true, aheadMs: 0 };
  const connections: SimulatedWorld['connections'] = new Map();
  const leaseTaker: SimulatedWorld['leaseTaker'] = { name: undefined };
  const history: HistoryEvent[] = [];

  const unavailable = (server: Refusal['server']): Error =>
    server === 'store'
      ? new StoreUnavailableError('The simulated store does not answer.')
      : new BrokerUnavailableError('The simulated broker does not answer.');

  const takeRefusal = (server: Refusal['server'], by: Refusal['by']): Refusal | undefined => {
    const index = refusals.findIndex((refusal) => refusal.server === server && refusal.by === by);
    return index < 0 ? undefined : refusals.splice(index, 1)[0];
  };

  const refuse = ({ server, effect }: Refusal, operate: () => unknown): never => {
    if (effect === 'after') operate();
    if (effect === 'late') {
      servers.clock.after(scheduler.random() * lateMs, () => {
        try {
          trace?.('servers', 'a late effect', operate());
        } catch {
          // The server has gone down meanwhile.
        }
      });
    }
    throw unavailable(server);
  };

  const note: SimulatedWorld['note'] = (fault, { target, lastsMs } = {}) => {
    trace?.('FAULT', `${fault} ${target ?? ''}`);
    const at = scheduler.timestamp();
    history.push({ kind: 'fault', fault, at, until: lastsMs === undefined ? undefined : at + lastsMs, target });
  };

  /** Each process measures MongoDB's time as the production code does, before the first call and when it is due. */
  const times = new WeakMap<SimulatedProcess, ReturnType<typeof openTime>>();
  const openTime = (process: SimulatedProcess) => {
    const time = new DatabaseClock(process.clock);
    const ask = () =>
      process.step('time', () => {
        if (!store.isUp) throw unavailable('store');
        return new Date(servers.clock.now().getTime() + store.aheadMs);
      });
    const measured = sharePromise((forget) => time.measure(ask).finally(forget));
    return { clock: time.clock, known: async () => (time.isDue() ? measured.get() : undefined) };
  };
  const timeOf = (process: SimulatedProcess) => {
    const time = times.get(process) ?? openTime(process);
    times.set(process, time);
    return time;
  };

  /** The process that took the newest lease of each lane. */
  const newestTakers = new Map<number, string>();

  /**
   * The call for a lease by a worker that was cut off, killed or stopped may still be in flight. It makes the worker
   * that owns the lane by then lose it, as if that worker had been cut off.
   */
  const noteLeaseTaker = (process: SimulatedProcess, lane: number): void => {
    if (process.isAlive()) leaseTaker.name = process.name;
    const target = newestTakers.get(lane);
    newestTakers.set(lane, process.name);
    if (target && !connections.get(process.name)?.isActive(lane)) note('connection-cut', { target });
  };

  return {
    scenario,
    broken,
    scheduler,
    database,
    broker: createMemoryBroker({ step: servers.step, lanePrefetch: 8, userPrefetch: 2 }),
    history,
    unexpectedErrors,
    endedEarly: [],
    ended: new Map(),
    aboveCap: { sinceMs: undefined, longestMs: 0 },
    wrongBodies: [],
    log: createSimulationLog(unexpectedErrors, trace),
    refusals,
    store,
    connections,
    leaseTaker,
    functions: { aheadMs: 0 },
    processOn(host, name) {
      const process = scheduler.process(name);
      process.jump(((host % 3) - 1) * (scenario.skewMs ?? 0));
      return process;
    },
    clockOf: (process) => timeOf(process).clock,
    timeKnown: (process) => timeOf(process).known(),
    note,
    trace,
    stepOf: (process, by) => async (what, operate) => {
      const server = isStoreCall(what) ? 'store' : isPublish(what) ? 'publish' : undefined;
      if (server === 'store') await timeOf(process).known();
      if (!server) return process.step(what, operate);
      return process.step(what, () => {
        const refusal = takeRefusal(server, by);
        if (refusal) return refuse(refusal, operate);
        if (server === 'store' && !store.isUp) throw unavailable('store');
        const [call, lane] = what.split(' ');
        if (call === 'lanes.takeLease') noteLeaseTaker(process, Number(lane));
        return operate();
      });
    },
  };
};
