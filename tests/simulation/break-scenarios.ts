/** The scenarios in which the breaks show themselves soon. */
import {
  type Action,
  endlessBackOffMs,
  type Leaving,
  type ScenarioKind,
  type SimulatedFault,
  type SimulatedFaultKind,
  type SimulatedUser,
  type Work,
} from './scenario.ts';
import type { Pace } from './scheduler.ts';

const never = 3_600_000;

export const only = (...faults: SimulatedFaultKind[]): ScenarioKind => ({ faults, sweep: false });
/** The faults that make a worker stale without ending it. */
export const cutOffs = only('worker cut off', 'worker frozen', 'worker joined', 'broker wiped');
export const kills = only('worker killed', 'worker cut off', 'worker joined');

/** Few steps are held up, so that many may overtake one of them. */
const uneven: Pace = { slowness: 0.1, holdUp: 0.08, holdUpMs: 5_000, sluggish: '' };
/** No step is held up, so that every run must start soon. */
const prompt: Pace = { slowness: 0.03, holdUp: 0, holdUpMs: 0, sluggish: '' };

const enqueue = (pauseMs: number, waits: boolean, work: Partial<Work> = {}): Action => ({
  pauseMs,
  waits,
  kind: 'enqueue',
  work: { ms: 0, ends: [], honorsSignal: true, backOffMs: 50, ...work },
});
const together = (pauseMs: number): Action => ({
  pauseMs,
  waits: false,
  kind: 'two together',
  works: [0, 20].map((ms) => ({ ms, ends: [], honorsSignal: true, backOffMs: 50 })),
});
const cancelLast: Action = { pauseMs: 400, waits: true, kind: 'cancel', which: 0 };
const repeated = (times: number, ...actions: Action[]): Action[] => Array.from({ length: times }, () => actions).flat();
const user = (program: Action[], leaves: Leaving = 'settled', lane = 0): SimulatedUser => ({ lane, leaves, program });

const fault = (after: number, kind: SimulatedFaultKind, target = 0, ms = 0): SimulatedFault => ({
  after,
  kind,
  target,
  ms,
});

/** Two processes take the tickets of several calls at the same time. */
export const togetherInTwo: ScenarioKind = {
  ...only(),
  fixed: { users: [user(repeated(4, together(0)))], pace: uneven, idleTimeoutMs: never },
};

const nowAndThen = user([enqueue(0, true), enqueue(400, false), enqueue(400, false)]);
/** The lane goes from a worker without a cap to one that has no room for most of its queues. */
export const capIntroduced: ScenarioKind = {
  ...only(),
  fixed: {
    lanes: 1,
    workers: 2,
    users: [nowAndThen, nowAndThen, nowAndThen, nowAndThen],
    faults: [fault(140, 'worker stopped')],
    pace: { slowness: 0.1, holdUp: 0.08, holdUpMs: 1_000, sluggish: '' },
    idleTimeoutMs: never,
    maxOpenQueues: [0, 1],
  },
};

/** More users than queues, all of them for long. */
export const manyUsers: ScenarioKind = {
  ...only(),
  fixed: {
    users: Array.from({ length: 3 }, () => user([enqueue(0, true), enqueue(40_000, true)])),
    maxOpenQueues: [1],
    idleTimeoutMs: never,
  },
};

/** A user that leaves while it sends: functions publish while the owner closes the user queue. */
export const leavingEarly: ScenarioKind = {
  ...only(),
  fixed: { users: [user([enqueue(0, true), ...repeated(4, enqueue(400, false))], 'immediately')], pace: uneven },
};

const waiting = repeated(8, enqueue(0, false));
const running = user(repeated(3, enqueue(0, false, { ms: 1_500 })), 'settled', 1);
/**
 * The owner is cut off. The next one freezes before it loads, and the first one acquires the lane again meanwhile. The users of that lane
 * wait for slots that users of another lane have: the ledger says of no request that the newer owner has claimed it. The frozen
 * worker is sluggish, so that it may begin to work before it learns that its connection is gone.
 */
export const frozenOwner: ScenarioKind = {
  ...only(),
  fixed: {
    lanes: 3,
    workers: 2,
    concurrency: 1,
    users: [user(waiting, 'settled', 0), user(waiting, 'settled', 2), running, running],
    faults: [fault(60, 'worker frozen as it acquires a lane', 0, 10_000), fault(60, 'worker cut off')],
    pace: { slowness: 0.1, holdUp: 0, holdUpMs: 1_000, sluggish: 'w2' },
  },
};

/** Workers stand still, and the others take their lanes away. No step is held up, so that they do that to no other worker. */
export const takenAway: ScenarioKind = {
  ...only(),
  fixed: {
    lanes: 2,
    workers: 3,
    frozenAfterMs: 2_000,
    users: [
      user(repeated(12, enqueue(400, false, { ms: 200 })), 'settled', 0),
      user(repeated(6, enqueue(400, true)), 'settled', 1),
    ],
    faults: [fault(200, 'worker frozen', 0, 4_000), fault(260, 'worker frozen', 1, 10_000)],
    pace: prompt,
  },
};

/** Messages lie in the user queue while its first request runs. */
export const deletedQueue: ScenarioKind = {
  ...only('user queue deleted'),
  fixed: { users: [user(repeated(6, enqueue(30, false, { ms: 200 })))], idleTimeoutMs: never },
};

/** A request now and then. */
export const refusedQueue: ScenarioKind = {
  ...only('user queue refused forever'),
  fixed: {
    lanes: 1,
    users: [user(repeated(6, enqueue(14_000, true)))],
    pace: prompt,
    idleTimeoutMs: never,
    lateMs: 10_000,
  },
};

/** Requests on their way when the queue is refused. */
export const queueRefusedSuddenly: ScenarioKind = {
  ...only('user queue refused forever'),
  fixed: { lanes: 1, users: [user(repeated(6, enqueue(30, false)))], idleTimeoutMs: never },
};

/** Its runs ignore their signal and take longer than it takes their worker to lose the lane and acquire it again. */
const deaf = user(repeated(3, enqueue(0, true, { ms: 1_500, honorsSignal: false })));

/** Handovers while runs go on. */
export const lending: ScenarioKind = {
  ...only('worker stopped', 'worker joined'),
  fixed: { users: [deaf, deaf], stuckAfterMs: never },
};

/** MongoDB is silent for so long that workers give their lanes up, during runs that ignore their signal. */
export const silentStore: ScenarioKind = {
  ...only(),
  fixed: {
    lanes: 1,
    workers: 2,
    users: [user(repeated(2, enqueue(0, true, { ms: 30_000, honorsSignal: false })))],
    faults: [fault(100, 'store down', 0, 12_000)],
    pace: prompt,
    stuckAfterMs: never,
  },
};

const endless = enqueue(0, true, { ms: never, honorsSignal: false });
const endRun = (after: number) => fault(after, 'run ended by an operator');
/** A run that ignores its signal, beside long ones: only an operator frees its user. */
export const endlessRuns: ScenarioKind = {
  ...only(),
  fixed: {
    lanes: 1,
    users: [user([endless, enqueue(0, true, { ms: 20 })]), user(repeated(3, enqueue(400, true, { ms: 6_000 })))],
    // As many as there are requests, so that one ends the endless run.
    faults: Array.from({ length: 5 }, (_, index) => endRun(100 + 150 * index)),
    stuckAfterMs: never,
  },
};

/** Runs are ended, and their workers die or lose the lane. */
export const endedRuns: ScenarioKind = {
  ...only(),
  fixed: {
    users: [deaf, deaf],
    faults: [60, 100, 140].flatMap((after) => [endRun(after), fault(after, 'worker killed', 0, 100)]),
  },
};

/** The same on hosts whose clocks are wrong. */
export const lendingWithWrongClocks: ScenarioKind = {
  ...only('worker stopped', 'worker joined', 'worker clock jumps'),
  fixed: { ...lending.fixed, skewMs: 60_000 },
};

const briefUser = user([enqueue(400, true)], 'immediately');
const handover = (after: number) => [fault(after, 'worker joined'), fault(after, 'worker stopped')];
/** User queues are declared and closed all the time, also at a handover. */
export const handoversWithOpenings: ScenarioKind = {
  ...only(),
  fixed: {
    lanes: 1,
    users: [briefUser, briefUser, briefUser, briefUser],
    faults: [...handover(30), ...handover(70), ...handover(110)],
    pace: uneven,
  },
};

/** A worker that loses its lane during a run takes it again. */
export const sameOwnerAgain: ScenarioKind = {
  ...only('worker cut off'),
  fixed: { lanes: 1, workers: 1, users: [deaf] },
};

/** A user that cancels each of its requests while it runs. */
export const cancelledRuns: ScenarioKind = {
  ...only(),
  fixed: { users: [user(repeated(3, enqueue(0, true, { ms: 1_500 }), cancelLast))] },
};

/** The first attempt fails, and the next one is so far away that a person must decide. */
export const decidedBackOff: ScenarioKind = {
  ...only(),
  fixed: { users: [user([enqueue(0, true, { ends: ['retry'], backOffMs: endlessBackOffMs })])] },
};

const failing = user(repeated(3, enqueue(0, true, { ends: ['retry', 'retry', 'retry'], backOffMs: 1_000 })));

/** The clock of the worker's host is set back by a minute, twice, while requests wait for their next attempts. */
export const hostSetBack: ScenarioKind = {
  faults: [],
  sweep: true,
  fixed: {
    workers: 1,
    users: [failing, failing],
    faults: [fault(60, 'worker clock jumps', 1, 10_000), fault(150, 'worker clock jumps', 1, 10_000)],
    undecided: true,
  },
};

/** MongoDB's clock is set, and requests in their back-off come to another owner. */
export const storeSetInBackOffs: ScenarioKind = {
  faults: ['store clock jumps', 'worker cut off'],
  sweep: true,
  fixed: { users: [failing, failing], sessionMs: never, idleTimeoutMs: 3_000, undecided: true },
};

/**
 * MongoDB's clock is set back by ten minutes after the first request. The second one comes after every process has measured
 * MongoDB's time again, and its message gets lost.
 */
export const storeSetBackWhileIdle: ScenarioKind = {
  faults: [],
  sweep: true,
  fixed: {
    lanes: 1,
    users: [user([enqueue(0, true), enqueue(65_000, true)])],
    faults: [fault(200, 'store clock jumps', 1, 100_000), fault(200, 'publish fails before', 1)],
    sessionMs: never,
    idleTimeoutMs: never,
  },
};
