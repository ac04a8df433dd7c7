/** Decides which step of which process, or which timer, comes next. One seed determines the order. */
import type { Clock } from '../../lib/ports.ts';
import type { Step } from '../../lib/testing/memory-stores.ts';

/** A part of the system that dies as a whole: a worker, or one call of a function. */
export type SimulatedProcess = {
  readonly name: string;
  readonly step: Step;
  /** The clock of its host. */
  readonly clock: Clock;
  /** Resolves when it is killed. */
  readonly died: Promise<void>;
  isAlive(): boolean;
  isFrozen(): boolean;
  /** Ends the process. It takes no further step. A call in flight may still take effect, but its answer is lost. */
  kill(): void;
  /** Stops the process until it is thawed. After that its timers fire late. */
  freeze(): void;
  thaw(): void;
  /** Sets the clock of its host ahead by `ms`, or back when `ms` is negative. */
  jump(ms: number): void;
};

/**
 * How fast the parts of a run are. `slowness`: the chance that time passes while steps wait. `holdUp`, `holdUpMs`: the
 * chance that a step is held up, and the longest time. `sluggish`: a process whose steps are held up much more often,
 * or ''.
 */
export type Pace = { slowness: number; holdUp: number; holdUpMs: number; sluggish: string };

export type SchedulerOptions = {
  seed: number;
  pace: Pace;
  /** Called before each step with its number. */
  beforeStep?: (stepsTaken: number) => void;
  trace?: (process: string, what: string, result?: unknown) => void;
};

export type Scheduler = {
  process(name: string): SimulatedProcess;
  random(): number;
  /** Virtual time since the start, in ms. */
  elapsedMs(): number;
  /** A time that is the same in all processes and unique for each event. */
  timestamp(): number;
  stepsTaken(): number;
  /**
   * Runs until `done` returns true, nothing is left to do, or a limit is reached. Resolves to whether `done` returned
   * true.
   */
  run(done: () => boolean, limits: { steps: number; untilMs: number }): Promise<boolean>;
};

/**
 * A step that waits for its turn, or the callback of a timer. `takeAfterDeath`: the effect if the process has died
 * meanwhile.
 */
type Waiting = { owner: Owner; what: string; take(): unknown; takeAfterDeath?: () => void };
type Timer = { at: number; owner: Owner; fire: () => unknown };
type Owner = { name: string; alive: boolean; frozen: boolean; parked: Waiting[] };

const startOfTime = Date.parse('2030-01-01T00:00:00Z');
/** Times are rounded, so a timer may fire a little early. Time must pass until its process has set it again. */
const shortestMs = 0.001;
/** The chance that a step takes effect although its process has died. */
const afterDeathChance = 0.5;
const sluggishHoldUp = 0.4;
/**
 * Whether the process only receives this step. It has no effect on the servers, so none after the death of the process.
 */
const isReceived = (what: string): boolean => /^(deliver|cancel|notice)/.test(what);

/** mulberry32, which is small and good enough to choose interleavings. */
export const createRandom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

/**
 * Lets everything that follows from a step happen before the next step, because Node runs all microtasks before the
 * next tick.
 */
const runMicrotasks = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

export const createScheduler = ({ seed, pace, beforeStep, trace }: SchedulerOptions): Scheduler => {
  const random = createRandom(seed);
  const ready: Waiting[] = [];
  const timers = new Set<Timer>();
  let now = startOfTime;
  let steps = 0;
  let stamps = 0;

  const setTimer = (owner: Owner, ms: number, fire: () => unknown): (() => void) => {
    let cancelled = false;
    // A frozen process may cancel a timer whose deadline has passed.
    const at = ms > 0 ? now + Math.max(shortestMs, ms) : now;
    const timer: Timer = { at, owner, fire: () => cancelled || fire() };
    if (owner.alive) timers.add(timer);
    return () => {
      cancelled = true;
      timers.delete(timer);
    };
  };

  /** The network holds up some steps, sometimes for longer than every timeout. */
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
    else if (next.takeAfterDeath && random() < afterDeathChance) {
      trace?.(owner.name, `${next.what} (after its death)`);
      next.takeAfterDeath();
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
        enlist({ owner, what, take, takeAfterDeath: isReceived(what) ? undefined : () => attempt(operate) });
      });

  return {
    process(name) {
      const owner: Owner = { name, alive: true, frozen: false, parked: [] };
      const death = Promise.withResolvers<void>();
      const bornAt = now;
      let offsetMs = 0;
      return {
        name,
        step: createStep(owner),
        clock: {
          now: () => new Date(now + offsetMs),
          monotonicMs: () => now - bornAt,
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
        await runMicrotasks();
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
    // The server refused the call of a dead process.
  }
};
