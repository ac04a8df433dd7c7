/** Plans which faults come and when. The seed alone decides, so that a plan can be replayed. */
import { seededRandom } from './random.ts';

type Kind = {
  /** How often this kind comes, relative to the other kinds. */
  weight: number;
  /** The shortest and the longest duration, in ms. 0: the fault is over immediately. */
  lastsMs: readonly [number, number];
};

const kinds = {
  'worker killed': { weight: 4, lastsMs: [0, 0] },
  'worker frozen': { weight: 2, lastsMs: [500, 1_200] },
  'worker hung': { weight: 2, lastsMs: [3_500, 6_000] },
  'container stalled': { weight: 2, lastsMs: [500, 500] },
  'container frozen': { weight: 3, lastsMs: [1_000, 9_000] },
  'primary killed': { weight: 2, lastsMs: [0, 0] },
  'workers killed in a row': { weight: 1, lastsMs: [700, 1_500] },
  'container replaced': { weight: 2, lastsMs: [0, 0] },
  'container joined': { weight: 2, lastsMs: [4_000, 12_000] },
  'broker stopped': { weight: 1, lastsMs: [200, 3_000] },
  'broker killed': { weight: 1, lastsMs: [200, 3_000] },
  'broker wiped': { weight: 1, lastsMs: [200, 3_000] },
  'store stopped': { weight: 1, lastsMs: [200, 4_000] },
  'store killed': { weight: 1, lastsMs: [200, 4_000] },
  'store stepped down': { weight: 1, lastsMs: [1_000, 4_000] },
  'connections cut': { weight: 3, lastsMs: [0, 2_000] },
  'connections delayed': { weight: 3, lastsMs: [2_000, 6_000] },
  'connections frozen': { weight: 2, lastsMs: [1_000, 9_000] },
  'connections halved': { weight: 2, lastsMs: [1_000, 9_000] },
  'api killed': { weight: 4, lastsMs: [100, 1_500] },
  'host clock set': { weight: 3, lastsMs: [0, 0] },
  'runs hung': { weight: 2, lastsMs: [0, 0] },
  'user queue deleted': { weight: 3, lastsMs: [0, 0] },
  'user queue refused': { weight: 3, lastsMs: [2_000, 6_000] },
  'queues limited': { weight: 1, lastsMs: [1_000, 4_000] },
  'large requests': { weight: 2, lastsMs: [0, 0] },
  'login storm': { weight: 2, lastsMs: [1_000, 3_000] },
  'clients hung up': { weight: 2, lastsMs: [500, 3_000] },
  'permission withdrawn': { weight: 1, lastsMs: [1_000, 4_000] },
  'node killed': { weight: 10, lastsMs: [1_000, 8_000] },
  'node frozen': { weight: 10, lastsMs: [3_000, 25_000] },
  'node cut off': { weight: 10, lastsMs: [3_000, 15_000] },
} as const satisfies Record<string, Kind>;

export type ChaosFault = keyof typeof kinds;
const allFaults = Object.keys(kinds) as ChaosFault[];

/** Faults of one node need a cluster, and of a cluster none hits the whole. */
const ofNodes: readonly ChaosFault[] = ['node killed', 'node frozen', 'node cut off'];
const ofWholeBroker: readonly ChaosFault[] = [
  'broker stopped',
  'broker killed',
  'broker wiped',
  'queues limited',
  'permission withdrawn',
];
export const chaosFaults = allFaults.filter((fault) => !ofNodes.includes(fault));
export const clusterFaults = allFaults.filter((fault) => !ofWholeBroker.includes(fault));

/** Of these a harder variant comes too: a minute can do without them. */
const milder: readonly ChaosFault[] = [
  'broker stopped',
  'store stopped',
  'worker frozen',
  'container stalled',
  'connections frozen',
];

/** For the minute of chaos in `npm test`: each of these kinds comes in it. */
export const minute = {
  durationMs: 60_000,
  everyMs: 2_000,
  only: chaosFaults.filter((fault) => !milder.includes(fault)),
};

export type PlannedFault = {
  /** The time from the start of the run. */
  atMs: number;
  fault: ChaosFault;
  lastsMs: number;
  /** Decides which of the targets that exist at that time is hit. */
  seed: number;
};

export type PlanOptions = {
  seed: number;
  durationMs: number;
  /** The average time between two faults. */
  everyMs: number;
  /** The kinds of faults. Default: all. */
  only?: readonly ChaosFault[];
};

/**
 * Every kind comes once, in random order, before the kinds are picked by their weights. No fault comes at the very
 * beginning or at the very end.
 */
export const planFaults = ({ seed, durationMs, everyMs, only = chaosFaults }: PlanOptions): PlannedFault[] => {
  const random = seededRandom(seed);
  const onceEach = random.some(only, only.length);
  const byWeight = only.flatMap((fault) => Array.from({ length: kinds[fault].weight }, () => fault));
  const plan: PlannedFault[] = [];
  let atMs = everyMs / 2;
  while (only.length > 0 && atMs < durationMs - everyMs / 2) {
    const fault = onceEach.shift() ?? random.pick(byWeight);
    const [shortest, longest] = kinds[fault].lastsMs;
    const lastsMs = random.between(shortest, longest);
    plan.push({ atMs: Math.round(atMs), fault, lastsMs, seed: random.between(0, 2 ** 31) });
    atMs += everyMs * (0.5 + random.next());
  }
  return plan;
};
