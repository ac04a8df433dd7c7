/** Does what a scenario says goes wrong, when it is due, and mends what must not stay broken. */
import type { Clients } from './clients.ts';
import type { SimulatedFault } from './scenario.ts';
import { type SimulatedWorker, timeouts, type Workers } from './workers.ts';
import type { Refusal, World } from './world.ts';

export type Faults = {
  /** To be called before every step. */
  beforeStep(stepsTaken: number): void;
  /** Whether something is still down that will come up. */
  isMending(): boolean;
};

/** A frozen process loses its connection after this long. */
const heartbeatMs = 3_000;
/** When no worker is left, another one comes after this long. */
const rescueMs = 1_000;
/** The chance, a step, that a due kill hits a function that is under way. */
const killChance = 0.1;
/** The same, that a user queue is deleted though nothing is in it. */
const emptyChance = 0.02;
const mostWorkers = 4;

export const createFaults = (world: World, workers: Workers, clients: Clients): Faults => {
  const { scenario, scheduler, broker } = world;
  const { clock } = scheduler.process('faults');
  const due = [...scenario.faults].sort((a, b) => a.after - b.after);
  /** Those that wait for somebody to hit. */
  const waiting: SimulatedFault[] = [];
  let mending = 0;

  const afterwards = (ms: number, mend: () => void): void => {
    mending += 1;
    clock.after(ms, () => {
      mending -= 1;
      mend();
    });
  };

  const freeze = ({ process, connection }: SimulatedWorker, ms: number): void => {
    world.note('worker-frozen', { target: process.name, lastsMs: ms });
    world.taker.name = undefined;
    process.freeze();
    if (ms > heartbeatMs) afterwards(heartbeatMs, () => connection.sever());
    afterwards(ms, () => process.thaw());
  };

  const hitWorker = ({ kind, ms, target }: SimulatedFault, worker: SimulatedWorker): boolean => {
    switch (kind) {
      case 'worker killed':
        workers.kill(worker);
        afterwards(ms, workers.start);
        return true;
      case 'worker cut off':
        world.note('connection-cut', { target: worker.process.name });
        worker.connection.sever();
        return true;
      case 'worker frozen':
      case 'worker frozen as it takes a lane':
        freeze(worker, ms);
        return true;
      case 'worker stopped':
        workers.stop(worker);
        return true;
      default:
        world.note('clock-jumped', { target: worker.process.name });
        worker.process.jump(target % 2 === 0 ? ms : -ms);
        return true;
    }
  };

  const hitFunctions = ({ kind, ms, target }: SimulatedFault): boolean => {
    if (kind === 'function clock jumps') {
      const jump = target % 2 === 0 ? ms : -ms;
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
        // Without the sweep, only where somebody hears of it: what is lost before an owner consumes is the sweep's to find.
        const queues = broker
          .queues()
          .filter((name) => name.startsWith('user.') && (scenario.sweep || broker.isConsumed(name)));
        const queue = queues[target % queues.length];
        if (!queue || (broker.messageCount(queue) === 0 && scheduler.random() >= emptyChance)) return false;
        world.note('user-queue-deleted');
        broker.deleteUserQueue(queue.slice('user.'.length));
        return true;
      }
      case 'broker wiped':
        world.note('broker-wiped');
        broker.wipe();
        return true;
      default:
        world.note('broker-restarted', { lastsMs: ms });
        broker.down();
        afterwards(ms, () => broker.up());
        return true;
    }
  };

  const hitStore = (ms: number): boolean => {
    world.note('store-restarted', { lastsMs: ms });
    // So long that workers leave their lanes to others; what they run goes on if it ignores its signal.
    if (ms >= timeouts.storeTimeoutMs) world.note('connection-cut', { lastsMs: ms });
    world.store.isUp = false;
    afterwards(ms, () => {
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

  /** Whether there was something to hit. */
  const hit = (fault: SimulatedFault): boolean => {
    const { kind } = fault;
    if (kind.includes(' fails ')) return refuse(fault);
    if (kind === 'store down') return hitStore(fault.ms);
    if (kind.startsWith('function ')) return hitFunctions(fault);
    if (kind === 'worker joined') {
      world.note('worker-joined');
      if (workers.live().length < mostWorkers) workers.start();
      return true;
    }
    if (!kind.startsWith('worker ')) return hitBroker(fault);
    const live = workers.live();
    const worker = kind.endsWith('takes a lane')
      ? live.find(({ process }) => process.name === world.taker.name)
      : live[fault.target % live.length];
    return worker !== undefined && !worker.process.isFrozen() && hitWorker(fault, worker);
  };

  return {
    beforeStep(stepsTaken) {
      while (due[0] && due[0].after <= stepsTaken) waiting.push(due.shift()!);
      for (const fault of waiting.splice(0)) if (!hit(fault)) waiting.push(fault);
      world.taker.name = undefined;
      if (workers.live().length === 0 && mending === 0) afterwards(rescueMs, workers.start);
    },
    isMending: () => mending > 0,
  };
};
