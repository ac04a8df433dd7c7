/** The scenario of a simulated run, as plain data that fast-check can generate, shrink and print. */
import fc from 'fast-check';
import { maxMessageBodyBytes } from '../../lib/limits.ts';
import type { Outcome } from '../../lib/types.ts';
import type { Pace } from './scheduler.ts';

/**
 * What a request does when it runs. It is the body of the request. `ends`: the outcome of each attempt; then `done`.
 * `backOffMs`: the pause after a failure, for each attempt so far.
 */
export type Work = { ms: number; ends: Outcome['kind'][]; honorsSignal: boolean; backOffMs: number };

const shortBackOffMs = 50;
/** Longer than a run of the simulation may take: a person must decide. */
export const endlessBackOffMs = 3_600_000;

type Act =
  | { kind: 'enqueue'; work: Work }
  | { kind: 'enqueue with key'; key: number; work: Work }
  | { kind: 'same key twice concurrently'; key: number; work: Work }
  | { kind: 'two concurrently'; work: Work; other: Work }
  /** Two calls of one process, which take their tickets together. */
  | { kind: 'two together'; works: Work[] }
  /** One call with several requests. */
  | { kind: 'enqueue several'; works: Work[] }
  /** `which`: 0 is the last request that was accepted; `cancelsAll` is all of them. */
  | { kind: 'cancel'; which: number }
  | { kind: 'disconnect'; pending: 'drain' | 'cancel'; waitMs: number }
  | { kind: 'log in' };

/** In the place of the fourth from the end, so that it draws nothing. */
export const cancelsAll = 3;

/** `waits`: whether the user waits for the answer before the next action. */
export type Action = { pauseMs: number; waits: boolean } & Act;

/**
 * When a user disconnects: immediately after the last action, when all calls are answered, when all requests are
 * settled, or never, so that the session expires.
 */
export type Leaving = 'immediately' | 'answered' | 'settled' | 'expire';
export type SimulatedUser = { lane: number; leaves: Leaving; program: Action[] };

/**
 * The faults. `before`, `after`, `late`: the call fails without an effect, after its effect, or some time before its
 * effect.
 */
export const faultKinds = [
  'worker killed',
  'worker cut off',
  'worker frozen as it acquires a lane',
  'worker frozen',
  'worker stopped',
  'worker joined',
  'worker clock jumps',
  'function clock jumps',
  'store clock jumps',
  'function killed',
  'user queue deleted',
  'user queue refused',
  'user queue refused forever',
  'user queues closed',
  'broker down',
  'broker wiped',
  'store down',
  'store fails before',
  'store fails after',
  'store fails late',
  'publish fails before',
  'publish fails after',
  'publish fails late',
  'run ended by an operator',
] as const;
export type SimulatedFaultKind = (typeof faultKinds)[number];

/**
 * `after`: the number of steps after which the fault is due. `target`: picks one of the possible targets. `ms`: the
 * duration. A clock jumps by six times as long.
 */
export type SimulatedFault = { after: number; kind: SimulatedFaultKind; target: number; ms: number };

export type Scenario = {
  /** Determines the interleaving. */
  seed: number;
  pace: Pace;
  /**
   * Whether the sweep finds users. Without the sweep, a run must come to rest by the other steps of the protocol alone.
   */
  sweep: boolean;
  lanes: number;
  workers: number;
  concurrency: number;
  maxPending: number;
  sessionMs: number;
  /** How far the clocks of the hosts are ahead of MongoDB's or behind it: each host by another multiple. */
  skewMs?: number;
  idleTimeoutMs: number;
  /** `STUCK_AFTER_MS`, where it is not the short one of all workers. A long one hides no missing notification. */
  stuckAfterMs?: number;
  /** `MAX_OPEN_QUEUES` of the workers in turn, where the seed does not draw it. 0: no cap. */
  maxOpenQueues?: number[];
  /** `FROZEN_AFTER_MS`, where workers take the lanes of others that stand still away. */
  frozenAfterMs?: number;
  /** Whether no operator decides about requests that wait: then each waits until its back-off ends. */
  undecided?: boolean;
  /** After this time a run is late, where less may hold it up than in other scenarios. */
  lateMs?: number;
  users: SimulatedUser[];
  faults: SimulatedFault[];
};

/** Whether no request may run again after an interruption: in a third of all scenarios. The seed decides, so that it draws nothing. */
export const runsOnce = ({ seed }: Pick<Scenario, 'seed'>): boolean => seed % 3 === 0;

/** Whether every login opens a connection: in half of all scenarios. Drawn like `runsOnce`. */
export const connects = ({ seed }: Pick<Scenario, 'seed'>): boolean => Math.floor(seed / 162) % 2 === 1;

/** Room for no body, for two or three small ones, and for all: each in a third of all scenarios. Drawn like `runsOnce`. */
export const heldBytesOf = ({ seed }: Pick<Scenario, 'seed'>): number =>
  [0, 1_000, 2 ** 30][Math.floor(seed / 3) % 3] ?? 0;

/**
 * `MAX_OPEN_QUEUES` of the workers in turn: no cap, fewer queues than there may be users, or a cap that is being introduced. Drawn like
 * `runsOnce`.
 */
export const capsOf = ({ seed, maxOpenQueues }: Pick<Scenario, 'seed' | 'maxOpenQueues'>): number[] =>
  maxOpenQueues ?? [[0], [0], [0], [1], [2], [0, 1]][Math.floor(seed / 27) % 6] ?? [];

/** The most user queues that there may be; `undefined` without a cap that all workers have. */
export const capOfAll = (scenario: Scenario): number | undefined => {
  const caps = new Set(capsOf(scenario));
  const [cap] = caps;
  return caps.size === 1 && cap !== 0 ? cap : undefined;
};

/** Whether this user has no login: a third of all. Drawn like `runsOnce`. */
export const isByReference = ({ seed }: Pick<Scenario, 'seed'>, index: number): boolean =>
  (Math.floor(seed / 9) + index) % 3 === 0;

/** In a quarter of all scenarios a request of this kind is too large for a message. The same work has the same body. */
export const bodyOf = ({ seed }: Pick<Scenario, 'seed'>, work: Work): string => {
  const isLarge = (seed + work.ms + work.ends.length) % 4 === 0;
  return JSON.stringify(work).padEnd(isLarge ? maxMessageBodyBytes + 1 : 0);
};

/** A family of scenarios: which faults come, whether the sweep is on, and which other values are fixed. */
export type ScenarioKind = {
  faults: readonly SimulatedFaultKind[];
  sweep: boolean;
  fixed?: Partial<Omit<Scenario, 'seed' | 'sweep'>>;
};

/**
 * The faults from which the protocol recovers without the sweep: a worker is notified, or acquires the lane and loads
 * its users.
 */
const recoverableFaults = [
  'worker killed',
  'worker cut off',
  'worker frozen as it acquires a lane',
  'worker frozen',
  'worker stopped',
  'worker joined',
  'user queue deleted',
  'user queue refused',
  'user queue refused forever',
  'user queues closed',
  'broker wiped',
  'run ended by an operator',
] as const;

export const calm: ScenarioKind = { faults: [], sweep: false };
const recoverable: ScenarioKind = { faults: recoverableFaults, sweep: false };
const wild: ScenarioKind = { faults: faultKinds, sweep: true };

const often = <T>(value: T, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(value) }, { weight: 1, arbitrary });

const end = fc.constantFrom<Outcome['kind']>('done', 'retry', 'retry', 'failed', 'blocked');

const work: fc.Arbitrary<Work> = fc.record({
  ms: fc.constantFrom(0, 0, 20, 200, 1_500),
  ends: often([], fc.array(end, { maxLength: 3 })),
  honorsSignal: often(true, fc.boolean()),
  backOffMs: often(shortBackOffMs, fc.constantFrom(3_000, endlessBackOffMs)),
});

const key = fc.nat({ max: 1 });

const worksOf = (maxLength: number): fc.Arbitrary<Work[]> => fc.array(work, { minLength: 2, maxLength });

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('enqueue' as const), work }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('enqueue with key' as const), key, work }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('same key twice concurrently' as const), key, work }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('two concurrently' as const), work, other: work }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat({ max: cancelsAll }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('disconnect' as const),
      pending: often<'drain' | 'cancel'>('drain', fc.constant('cancel')),
      waitMs: fc.constantFrom(0, 1_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('log in' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('two together' as const), works: worksOf(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('enqueue several' as const), works: worksOf(3) }) },
);

const action: fc.Arbitrary<Action> = fc
  .tuple(fc.constantFrom(0, 0, 30, 400, 3_200), often(true, fc.boolean()), act)
  .map(([pauseMs, waits, acts]) => ({ pauseMs, waits, ...acts }));

const user = ({ sweep }: ScenarioKind): fc.Arbitrary<SimulatedUser> =>
  fc.record({
    lane: fc.nat({ max: 1 }),
    leaves: fc.constantFrom<Leaving>('immediately', 'answered', 'settled', ...(sweep ? ['expire' as const] : [])),
    program: fc.array(action, { minLength: 1, maxLength: 6 }),
  });

const fault = (kinds: readonly SimulatedFaultKind[]): fc.Arbitrary<SimulatedFault> =>
  fc.record({
    after: fc.oneof(fc.nat({ max: 150 }), fc.nat({ max: 500 })),
    kind: fc.constantFrom(...kinds),
    target: fc.nat({ max: 5 }),
    ms: fc.constantFrom(100, 1_000, 4_000, 10_000),
  });

const pace: fc.Arbitrary<Pace> = fc.record({
  slowness: fc.constantFrom(0.01, 0.03, 0.1),
  holdUp: fc.constantFrom(0, 0.03, 0.15),
  holdUpMs: fc.constantFrom(100, 1_000, 5_000),
  sluggish: often('', fc.constantFrom('w1', 'w2')),
});

export const scenarioOf = (kind: ScenarioKind): fc.Arbitrary<Scenario> => {
  const { faults, sweep, fixed } = kind;
  return fc
    .record({
      seed: fc.noShrink(fc.nat()),
      pace,
      sweep: fc.constant(sweep),
      lanes: fc.integer({ min: 1, max: 2 }),
      workers: fc.integer({ min: 1, max: 3 }),
      concurrency: fc.integer({ min: 1, max: 2 }),
      maxPending: often(1_000, fc.integer({ min: 1, max: 3 })),
      sessionMs: sweep ? fc.constantFrom(60_000, 15_000, 4_000) : fc.constant(3_600_000),
      skewMs: fc.constantFrom(0, 60_000),
      // The long timeout never closes an idle user, so it cannot hide a missing notification.
      idleTimeoutMs: fc.constantFrom(3_000, 3_600_000),
      users: fc.array(user(kind), { minLength: 1, maxLength: 3 }),
      faults:
        faults.length === 0
          ? fc.constant<SimulatedFault[]>([])
          : fc.array(fault(faults), { minLength: 1, maxLength: 4 }),
    })
    .map((scenario) => ({ ...scenario, ...fixed }));
};

export const anyScenario: fc.Arbitrary<Scenario> = fc.oneof(
  { weight: 1, arbitrary: scenarioOf(calm) },
  { weight: 1, arbitrary: scenarioOf(recoverable) },
  { weight: 2, arbitrary: scenarioOf(wild) },
);
