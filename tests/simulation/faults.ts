/** Injects the faults of a scenario when they are due, and repairs what must not stay broken. */
import { isInBackOff } from '../../lib/types.ts';
import type { Clients } from './clients.ts';
import { capOfAll, type SimulatedFault } from './scenario.ts';
import type { SimulatedWorker, Workers } from './workers.ts';
import type { Refusal, SimulatedWorld } from './world.ts';

export type Faults = {
  /** The scheduler calls this before every step. */
  beforeStep(stepsTaken: number): void;
  /** Whether a repair is still to come. */
  isRepairing(): boolean;
};

/** A frozen process loses its connection after this time. */
const heartbeatMs = 3_000;
/** When no worker is left, a new one starts after this time. */
const rescueMs = 1_000;
/** The chance in each step that a due kill hits a function call in progress. */
const killChance = 0.1;
/** The chance in each step that a due deletion hits an empty user queue. */
const emptyChance = 0.02;
const maxWorkers = 4;
/** A clock jumps by up to a minute. */
const jumpMs = ({ ms, target }: SimulatedFault): number => (target % 2 === 0 ? 6 : -6) * ms;

/** At its decision: a later claim adds one to the attempts. */
const noteEnded = ({ database, ended }: SimulatedWorld): void => {
  for (const [id, { endRequestedAt, attempts }] of database.entries) {
    if (endRequestedAt && !ended.has(id)) ended.set(id, attempts);
  }
};

const noteCap = ({ scenario, scheduler, broker, aboveCap }: SimulatedWorld): void => {
  const cap = capOfAll(scenario);
  if (cap === undefined) return;
  const now = scheduler.elapsedMs();
  const isAbove = broker.queues().filter((name) => name.startsWith('user.')).length > cap;
  aboveCap.sinceMs = isAbove ? (aboveCap.sinceMs ?? now) : undefined;
  if (aboveCap.sinceMs !== undefined) aboveCap.longestMs = Math.max(aboveCap.longestMs, now - aboveCap.sinceMs);
};

export const createFaults = (world: SimulatedWorld, workers: Workers, clients: Clients): Faults => {
  const { scenario, scheduler, broker, database } = world;
  const { clock } = scheduler.process('faults');
  const due = [...scenario.faults].sort((a, b) => a.after - b.after);
  /** The faults that wait for a target. */
  const waiting: SimulatedFault[] = [];
  let repairs = 0;

  const repairAfter = (ms: number, repair: () => void): void => {
    repairs += 1;
    clock.after(ms, () => {
      repairs -= 1;
      repair();
    });
  };

  const freeze = ({ process, connection }: SimulatedWorker, ms: number): void => {
    world.note('worker-frozen', { target: process.name, lastsMs: ms });
    world.leaseTaker.name = undefined;
    process.freeze();
    if (ms > heartbeatMs) repairAfter(heartbeatMs, () => connection.sever());
    repairAfter(ms, () => process.thaw());
  };

  const hitWorker = (fault: SimulatedFault, worker: SimulatedWorker): boolean => {
    const { kind, ms } = fault;
    switch (kind) {
      case 'worker killed':
        workers.kill(worker);
        repairAfter(ms, workers.start);
        return true;
      case 'worker cut off':
        world.note('connection-cut', { target: worker.process.name });
        worker.connection.sever();
        return true;
      case 'worker frozen':
      case 'worker frozen as it acquires a lane':
        freeze(worker, ms);
        return true;
      case 'worker stopped':
        workers.stop(worker);
        return true;
      default:
        world.note('clock-jumped', { target: worker.process.name });
        worker.process.jump(jumpMs(fault));
        return true;
    }
  };

  const hitFunctions = (fault: SimulatedFault): boolean => {
    const { kind, target } = fault;
    if (kind === 'function clock jumps') {
      const jump = jumpMs(fault);
      world.note('clock-jumped');
      world.functions.aheadMs += jump;
      for (const process of clients.calls) process.jump(jump);
      return true;
    }
    const calls = [...clients.calls];
    const call = calls[target % calls.length];
    if (!call || scheduler.random() >= killChance) return false;
    world.note('function-killed', { target: call.name });
    call.kill();
    return true;
  };

  const hitBroker = ({ kind, ms, target }: SimulatedFault): boolean => {
    switch (kind) {
      case 'user queue deleted': {
        // Without the sweep, only a queue with a live consumer: otherwise only the sweep would find the lost messages.
        const queues = broker
          .queues()
          .filter((name) => name.startsWith('user.') && (scenario.sweep || broker.isConsumed(name)));
        const queue = queues[target % queues.length];
        if (!queue || (broker.messageCount(queue) === 0 && scheduler.random() >= emptyChance)) return false;
        world.note('user-queue-deleted');
        broker.deleteUserQueue(queue.slice('user.'.length));
        return true;
      }
      case 'user queue refused':
      case 'user queue refused forever': {
        const accept = broker.refuseUserQueue(
          `u${1 + (target % scenario.users.length)}`,
          kind === 'user queue refused' ? undefined : ['declare', 'consume'],
        );
        // Consumers that exist go too: the queue stays, and what is published to it is routed to nobody.
        for (const worker of workers.live()) worker.connection.shutUserQueues();
        if (kind === 'user queue refused') repairAfter(ms, accept);
        return true;
      }
      case 'user queues closed': {
        const live = workers.live();
        live[target % live.length]?.connection.shutUserQueues();
        return true;
      }
      case 'broker wiped':
        world.note('broker-wiped');
        broker.wipe();
        return true;
      default:
        world.note('broker-restarted', { lastsMs: ms });
        broker.down();
        repairAfter(ms, () => broker.up());
        return true;
    }
  };

  const hitStore = (ms: number): boolean => {
    world.note('store-restarted', { lastsMs: ms });
    world.store.isUp = false;
    repairAfter(ms, () => {
      world.store.isUp = true;
    });
    return true;
  };

  const refuse = ({ kind, target }: SimulatedFault): boolean => {
    const [server, , effect] = kind.split(' ') as [Refusal['server'], string, Refusal['effect']];
    const by = target % 2 === 0 ? 'worker' : 'function';
    world.trace?.('FAULT', `${kind}, for the next ${by}`);
    world.refusals.push({ server, by, effect });
    return true;
  };

  const endRun = ({ target }: SimulatedFault): boolean => {
    const running = [...database.entries.values()].filter(
      (entry) => entry.status === 'processing' && !isInBackOff(entry) && !entry.endRequestedAt,
    );
    const one = running[target % running.length];
    if (one) void clients.end(one);
    return one !== undefined;
  };

  /** Returns whether the fault found a target. */
  const hit = (fault: SimulatedFault): boolean => {
    const { kind } = fault;
    if (kind.includes(' fails ')) return refuse(fault);
    if (kind === 'run ended by an operator') return endRun(fault);
    if (kind === 'store down') return hitStore(fault.ms);
    if (kind === 'store clock jumps') {
      world.note('store-clock-jumped');
      world.store.aheadMs += jumpMs(fault);
      return true;
    }
    if (kind.startsWith('function ')) return hitFunctions(fault);
    if (kind === 'worker joined') {
      world.note('worker-joined');
      if (workers.live().length < maxWorkers) workers.start();
      return true;
    }
    if (!kind.startsWith('worker ')) return hitBroker(fault);
    const live = workers.live();
    const worker = kind.endsWith('acquires a lane')
      ? live.find(({ process }) => process.name === world.leaseTaker.name)
      : live[fault.target % live.length];
    return worker !== undefined && !worker.process.isFrozen() && hitWorker(fault, worker);
  };

  return {
    beforeStep(stepsTaken) {
      while (due[0] && due[0].after <= stepsTaken) waiting.push(due.shift()!);
      for (const fault of waiting.splice(0)) if (!hit(fault)) waiting.push(fault);
      world.leaseTaker.name = undefined;
      noteEnded(world);
      noteCap(world);
      if (workers.live().length === 0 && repairs === 0) repairAfter(rescueMs, workers.start);
    },
    isRepairing: () => repairs > 0,
  };
};
