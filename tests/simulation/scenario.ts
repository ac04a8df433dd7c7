/** What a simulated run is made of, as plain data: fast-check makes it, shrinks it, and prints it. */
import fc from 'fast-check';
import type { Outcome } from '../../lib/types.ts';
import type { Pace } from './scheduler.ts';

/** What a request does when it runs; it is the request's body. One end for each attempt, then `done`. */
export type Work = { ms: number; ends: Outcome['kind'][]; honoursSignal: boolean };

type Act =
  | { kind: 'enqueue'; work: Work }
  | { kind: 'enqueue with key'; key: number; work: Work }
  | { kind: 'same key twice at once'; key: number; work: Work }
  | { kind: 'two at once'; work: Work; other: Work }
  | { kind: 'cancel'; which: number }
  | { kind: 'disconnect'; pending: 'drain' | 'cancel'; waitMs: number }
  | { kind: 'log in' };

/** `waits`: the user waits for the answer before the next action. */
export type Action = { pauseMs: number; waits: boolean } & Act;

/** How a user goes: in the middle of everything, or with all answers, or when all is settled, or without a word. */
export type Leaving = 'at once' | 'answered' | 'settled' | 'expire';
export type SimulatedUser = { lane: number; leaves: Leaving; program: Action[] };

/** What may go wrong. `late`: the caller is told of a failure, and the effect comes afterwards. */
export const faultKinds = [
  'worker killed',
  'worker cut off',
  'worker frozen as it takes a lane',
  'worker frozen',
  'worker stopped',
  'worker joined',
  'worker clock jumps',
  'function clock jumps',
  'function killed',
  'user queue deleted',
  'broker down',
  'broker wiped',
  'store down',
  'store fails before',
  'store fails after',
  'store fails late',
  'publish fails before',
  'publish fails after',
  'publish fails late',
] as const;
export type SimulatedFaultKind = (typeof faultKinds)[number];

/** `after` so many steps of the run; `target` picks among what there is; `ms`: how long, or how far. */
export type SimulatedFault = { after: number; kind: SimulatedFaultKind; target: number; ms: number };

export type Scenario = {
  /** Decides the interleaving. */
  seed: number;
  pace: Pace;
  /** Whether the sweep finds anybody. Without it everything must end all the same, by rights. */
  sweep: boolean;
  lanes: number;
  workers: number;
  concurrency: number;
  maxPending: number;
  sessionMs: number;
  idleTimeoutMs: number;
  users: SimulatedUser[];
  faults: SimulatedFault[];
};

/** A family of scenarios: which faults come, whether the sweep is needed to mend them, and what is fixed besides. */
export type ScenarioKind = {
  faults: readonly SimulatedFaultKind[];
  sweep: boolean;
  fixed?: Partial<Omit<Scenario, 'seed' | 'sweep'>>;
  /** Users wait for no answer. */
  hasty?: boolean;
};

/** What mends itself without the sweep: somebody is always told, or takes over and loads. */
const mended = [
  'worker killed',
  'worker cut off',
  'worker frozen as it takes a lane',
  'worker frozen',
  'worker stopped',
  'worker joined',
  'user queue deleted',
  'broker wiped',
] as const;

export const calm: ScenarioKind = { faults: [], sweep: false };
export const mending: ScenarioKind = { faults: mended, sweep: false };
export const wild: ScenarioKind = { faults: faultKinds, sweep: true };

const often = <T>(value: T, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(value) }, { weight: 1, arbitrary });

const end = fc.constantFrom<Outcome['kind']>('done', 'retry', 'retry', 'failed', 'blocked');

const work: fc.Arbitrary<Work> = fc.record({
  ms: fc.constantFrom(0, 0, 20, 200, 1_500),
  ends: often([], fc.array(end, { maxLength: 3 })),
  honoursSignal: often(true, fc.boolean()),
});

const key = fc.nat({ max: 1 });

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('enqueue' as const), work }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('enqueue with key' as const), key, work }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('same key twice at once' as const), key, work }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('two at once' as const), work, other: work }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat({ max: 3 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('disconnect' as const),
      pending: often<'drain' | 'cancel'>('drain', fc.constant('cancel')),
      waitMs: fc.constantFrom(0, 1_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('log in' as const) }) },
);

const action = (hasty: boolean): fc.Arbitrary<Action> =>
  fc
    .tuple(fc.constantFrom(0, 0, 30, 400, 3_200), hasty ? fc.constant(false) : often(true, fc.boolean()), act)
    .map(([pauseMs, waits, acts]) => ({ pauseMs, waits, ...acts }));

const user = ({ sweep, hasty = false }: ScenarioKind): fc.Arbitrary<SimulatedUser> =>
  fc.record({
    lane: fc.nat({ max: 1 }),
    leaves: fc.constantFrom<Leaving>('at once', 'answered', 'settled', ...(sweep ? ['expire' as const] : [])),
    program: fc.array(action(hasty), { minLength: 1, maxLength: 6 }),
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
      // The long one ends nobody's wait: whatever moves on was told to.
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
  { weight: 1, arbitrary: scenarioOf(mending) },
  { weight: 2, arbitrary: scenarioOf(wild) },
);
