/** What the actors of one simulated run share: time, the two servers, what goes wrong, and what is written down. */
import { BrokerUnavailableError, StoreUnavailableError } from '../../lib/errors.ts';
import { createLogger, type Logger } from '../../lib/log.ts';
import type { LedgerChange } from '../../lib/types.ts';
import type { FaultKind, HistoryEvent } from '../judge/history.ts';
import type { Break } from './breaks.ts';
import { createMemoryBroker, type MemoryBroker, type MemoryConnection } from './memory-broker.ts';
import { createMemoryDatabase, type MemoryDatabase, type Step } from './memory-stores.ts';
import type { Scenario } from './scenario.ts';
import { createScheduler, type Scheduler, type SimulatedProcess } from './scheduler.ts';

/** A server that will not answer: which, whose call, and whether the call takes effect. */
export type Refusal = { server: 'store' | 'publish'; by: 'worker' | 'function'; effect: 'before' | 'after' | 'late' };

/** `ms`: virtual time since the start. */
export type Trace = (process: string, what: string, result: unknown, ms: number) => void;
/** The same, timed by whoever listens. */
export type Note = (process: string, what: string, result?: unknown) => void;

export type World = {
  scenario: Scenario;
  broken: Break | undefined;
  scheduler: Scheduler;
  database: MemoryDatabase & { journal: LedgerChange[] };
  broker: MemoryBroker;
  history: HistoryEvent[];
  /** What no client and no worker may ever see. */
  faults: string[];
  log: Logger;
  /** Those the next matching calls meet. */
  refusals: Refusal[];
  store: { isUp: boolean };
  /** Of the workers, by their names. */
  connections: Map<string, MemoryConnection>;
  /** The process that has just taken a lease, and has not loaded yet. */
  taker: { name: string | undefined };
  functions: { aheadMs: number };
  /** No target: it hits everybody. */
  note(fault: FaultKind, about?: { target?: string; lastsMs?: number }): void;
  trace: Note | undefined;
  /** A process's way to both servers, refusals included. */
  stepOf(process: SimulatedProcess, by: Refusal['by']): Step;
};

const isStoreCall = (what: string): boolean => /^(userQueues|ledger|lanes|workers)\./.test(what);
const isPublish = (what: string): boolean => /^(publish|connect)\b/.test(what);
/** How much later than its failure a call may still take effect. */
const lateMs = 2_500;

/** Only errors are written, and none is expected; with a trace, everything. */
const createWorldLog = (faults: string[], trace: Note | undefined): Logger =>
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
        if (level >= 50) faults.push(`logged as an error: ${text} ${err?.stack ?? ''}`);
      },
    },
  );

export const createWorld = (
  scenario: Scenario,
  broken: Break | undefined,
  beforeStep: (steps: number) => void,
  tell: Trace | undefined,
): World => {
  const trace: Note | undefined =
    tell && ((process, what, result) => tell(process, what, result, scheduler.elapsedMs()));
  const scheduler: Scheduler = createScheduler({ seed: scenario.seed, pace: scenario.pace, beforeStep, trace });
  const servers = scheduler.process('broker');
  const database = { ...createMemoryDatabase(), journal: [] };
  const faults: string[] = [];
  const refusals: Refusal[] = [];
  const store = { isUp: true };
  const connections: World['connections'] = new Map();
  const taker: World['taker'] = { name: undefined };
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
          // The server is down by now.
        }
      });
    }
    throw unavailable(server);
  };

  const note: World['note'] = (fault, { target, lastsMs } = {}) => {
    trace?.('FAULT', `${fault} ${target ?? ''}`);
    const at = scheduler.timestamp();
    history.push({ kind: 'fault', fault, at, until: lastsMs === undefined ? undefined : at + lastsMs, target });
  };

  /** Who took each lane's newest lease. */
  const takers = new Map<number, string>();

  /**
   * A worker that was cut off, killed or stopped may have a lease on its way still: whoever owns the lane by then loses it,
   * as if it had been cut off.
   */
  const noteTaker = (process: SimulatedProcess, lane: number): void => {
    if (process.isAlive()) taker.name = process.name;
    const target = takers.get(lane);
    takers.set(lane, process.name);
    if (target && !connections.get(process.name)?.isActive(lane)) note('connection-cut', { target });
  };

  return {
    scenario,
    broken,
    scheduler,
    database,
    broker: createMemoryBroker({ step: servers.step, lanePrefetch: 8, userPrefetch: 2 }),
    history,
    faults,
    log: createWorldLog(faults, trace),
    refusals,
    store,
    connections,
    taker,
    functions: { aheadMs: 0 },
    note,
    trace,
    stepOf: (process, by) => (what, operate) => {
      const server = isStoreCall(what) ? 'store' : isPublish(what) ? 'publish' : undefined;
      if (!server) return process.step(what, operate);
      return process.step(what, () => {
        const refusal = takeRefusal(server, by);
        if (refusal) return refuse(refusal, operate);
        if (server === 'store' && !store.isUp) throw unavailable('store');
        const [call, lane] = what.split(' ');
        if (call === 'lanes.takeLease') noteTaker(process, Number(lane));
        return operate();
      });
    },
  };
};
