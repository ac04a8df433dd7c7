/** Decides what happens next: every step of every process, every timer, in an order that one seed determines. */
import type { Clock } from '../../lib/ports.ts';
import type { Step } from './memory-stores.ts';

/** Part of the system that lives and dies as one: a worker, or one call of a function. */
export type SimulatedProcess = {
  readonly name: string;
  readonly step: Step;
  readonly clock: Clock;
  /** Resolves when it is killed. */
  readonly died: Promise<void>;
  isAlive(): boolean;
  isFrozen(): boolean;
  /** Takes no further step. What was on its way may still take effect; nobody hears of it. */
  kill(): void;
  /** Takes no step until it is thawed; then its timers are late. */
  freeze(): void;
  thaw(): void;
  /** Sets the process's clock ahead, or back. */
  jump(ms: number): void;
};

/**
 * How a run behaves as a whole: how often time passes while steps wait, how often and how long a step is held up, and the
 * process (if any) whose steps are held up much more often.
 */
export type Pace = { slowness: number; holdUp: number; holdUpMs: number; sluggish: string };

export type SchedulerOptions = {
  seed: number;
  pace: Pace;
  /** Is told every step that is about to be taken. */
  beforeStep?: (stepsTaken: number) => void;
  trace?: (process: string, what: string, result?: unknown) => void;
};

export type Scheduler = {
  process(name: string): SimulatedProcess;
  random(): number;
  /** Virtual time since the start, in ms. */
  elapsedMs(): number;
  /** The same in all processes, and different for every event. */
  timestamp(): number;
  stepsTaken(): number;
  /** Runs until `done`, or nothing is left to happen, or the limits are reached. Resolves to whether it is done. */
  run(done: () => boolean, limits: { steps: number; untilMs: number }): Promise<boolean>;
};

/** Something a process will do: a step of its own, or what a timer set off. */
type Waiting = { owner: Owner; what: string; take(): unknown; lastWord?: () => void };
type Timer = { at: number; owner: Owner; fire: () => unknown };
type Owner = { name: string; alive: boolean; frozen: boolean; parked: Waiting[] };

const startOfTime = Date.parse('2030-01-01T00:00:00Z');
/** How often a dead process's last step still takes effect. */
const lastWordChance = 0.5;
const sluggishHoldUp = 0.4;
/** What a process is told is no word of its own. */
const isHeard = (what: string): boolean => /^(deliver|cancel|notice)/.test(what);

/** mulberry32: small, and good enough to choose interleavings. */
export const createRandom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

/** Lets everything that follows from a step happen before the next step: Node empties the microtasks before the next tick. */
const settleDown = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

export const createScheduler = ({ seed, pace, beforeStep, trace }: SchedulerOptions): Scheduler => {
  const random = createRandom(seed);
  const ready: Waiting[] = [];
  const timers = new Set<Timer>();
  let now = startOfTime;
  let steps = 0;
  let stamps = 0;

  const setTimer = (owner: Owner, ms: number, fire: () => unknown): (() => void) => {
    let cancelled = false;
    // A frozen process may cancel a timer that is overdue.
    const timer: Timer = { at: now + Math.max(0, ms), owner, fire: () => cancelled || fire() };
    if (owner.alive) timers.add(timer);
    return () => {
      cancelled = true;
      timers.delete(timer);
    };
  };

  /** The network holds some steps up, now and then for longer than every timeout. */
  const enlist = (waiting: Waiting): void => {
    const chance = waiting.owner.name === pace.sluggish ? sluggishHoldUp : pace.holdUp;
    if (chance > 0 && random() < chance) setTimer(network, random() * pace.holdUpMs, () => ready.push(waiting));
    else ready.push(waiting);
  };
  const network: Owner = { name: 'network', alive: true, frozen: false, parked: [] };

  const takeStep = (): void => {
    const index = Math.floor(random() * ready.length);
    const next = ready[index]!;
    ready[index] = ready.at(-1)!;
    ready.pop();
    const { owner } = next;
    if (owner.frozen && owner.alive) owner.parked.push(next);
    else if (owner.alive) next.take();
    else if (next.lastWord && random() < lastWordChance) {
      trace?.(owner.name, `${next.what} (its last word)`);
      next.lastWord();
    }
  };

  const fireTimer = (): void => {
    let earliest: Timer | undefined;
    for (const timer of timers) {
      if (!timer.owner.alive) timers.delete(timer);
      else if (!earliest || timer.at < earliest.at) earliest = timer;
    }
    if (!earliest) return;
    timers.delete(earliest);
    now = Math.max(now, earliest.at);
    const { owner, fire } = earliest;
    if (owner.frozen) owner.parked.push({ owner, what: 'timer', take: fire });
    else fire();
  };

  const createStep =
    (owner: Owner): Step =>
    (what, operate) =>
      new Promise((resolve, reject) => {
        if (!owner.alive) return;
        const take = (): void => {
          try {
            const value = operate();
            trace?.(owner.name, what, value);
            resolve(value);
          } catch (error) {
            trace?.(owner.name, what, error);
            reject(error);
          }
        };
        enlist({ owner, what, take, lastWord: isHeard(what) ? undefined : () => attempt(operate) });
      });

  return {
    process(name) {
      const owner: Owner = { name, alive: true, frozen: false, parked: [] };
      const death = Promise.withResolvers<void>();
      let offsetMs = 0;
      return {
        name,
        step: createStep(owner),
        clock: {
          now: () => new Date(now + offsetMs),
          after: (ms, callback) => setTimer(owner, ms, callback),
          random,
        },
        died: death.promise,
        isAlive: () => owner.alive,
        isFrozen: () => owner.frozen,
        kill() {
          owner.alive = false;
          death.resolve();
        },
        freeze() {
          owner.frozen = true;
        },
        thaw() {
          owner.frozen = false;
          ready.push(...owner.parked.splice(0));
        },
        jump(ms) {
          offsetMs += ms;
        },
      };
    },
    random,
    elapsedMs: () => now - startOfTime,
    timestamp() {
      stamps += 1;
      return now + stamps * 1e-4;
    },
    stepsTaken: () => steps,
    async run(done, limits) {
      for (;;) {
        await settleDown();
        if (done()) return true;
        if (steps >= limits.steps || now - startOfTime >= limits.untilMs) return false;
        steps += 1;
        beforeStep?.(steps);
        if (ready.length === 0 && timers.size === 0) return false;
        if (ready.length > 0 && !(timers.size > 0 && random() < pace.slowness)) takeStep();
        else fireTimer();
      }
    },
  };
};

const attempt = (operate: () => unknown): void => {
  try {
    operate();
  } catch {
    // The server refused; nobody is there to hear of it.
  }
};
