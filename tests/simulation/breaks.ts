/**
 * The breaks that the simulation must detect. Each one breaks a step of the protocol by wrapping the `Deps` of a worker
 * or of a function. R1 to R13 are the rules of the protocol.
 */
import type { LaneDeps } from '../../lib/lanes/context.ts';
import type { Clock } from '../../lib/ports.ts';
import type { EntryId, LedgerEntry } from '../../lib/types.ts';
import {
  claimLater,
  dropCancels,
  dropWakesOfLoaded,
  loadNoUsers,
  sweepNoUsers,
  trustOwnLease,
} from '../breaks/wrappers.ts';
import type { FunctionDeps } from './clients.ts';
import type { MemoryBroker } from './memory-broker.ts';
import type { MemoryDatabase, Step } from './memory-stores.ts';
import {
  calm,
  endlessBackOffMs,
  type ScenarioKind,
  type SimulatedFault,
  type SimulatedFaultKind,
  type SimulatedUser,
} from './scenario.ts';
import type { Pace } from './scheduler.ts';
import type { ViolationKind } from './verdict.ts';

/** What a break may use besides the `Deps` that it wraps: the servers, and the steps and the host's clock of the process. */
export type Site = { database: MemoryDatabase; broker: MemoryBroker; step: Step; host: Clock };

export type Break = {
  name: string;
  /** Describes the defect. */
  what: string;
  worker?: (deps: LaneDeps, site: Site) => LaneDeps;
  function?: (deps: FunctionDeps, site: Site) => FunctionDeps;
  /** The scenarios that can reveal it. */
  scenarios: ScenarioKind;
  /** The violations that it leads to. One of them is enough. */
  shows: ViolationKind[];
  /** The number of runs within which it must be detected. */
  withinRuns: number;
};

const only = (...faults: SimulatedFaultKind[]): ScenarioKind => ({ faults, sweep: false });
/** The faults that make a worker stale without ending it. */
const cutOffs = only('worker cut off', 'worker frozen', 'worker joined', 'broker wiped');
const kills = only('worker killed', 'worker cut off', 'worker joined');

/**
 * The owner is cut off, the next owner freezes before it loads, and the first one acquires the lane again meanwhile.
 */
const frozenAcquisition: SimulatedFault[] = [
  { after: 40, kind: 'worker frozen as it acquires a lane', target: 0, ms: 10_000 },
  { after: 50, kind: 'worker cut off', target: 0, ms: 0 },
  { after: 50, kind: 'worker cut off', target: 1, ms: 0 },
];

const slow: Pace = { slowness: 0.1, holdUp: 0.15, holdUpMs: 5_000, sluggish: '' };

/** Sends one request after the other, so that there is always one that the owner does not know yet. */
const steadyUser: SimulatedUser = {
  lane: 0,
  leaves: 'answered',
  program: Array.from({ length: 6 }, () => ({
    pauseMs: 2_000,
    waits: true,
    kind: 'enqueue',
    work: { ms: 0, ends: [], honorsSignal: true, backOffMs: 50 },
  })),
};

/** Its runs ignore their signal and take longer than it takes their worker to lose the lane and acquire it again. */
const userWithDeafRuns: SimulatedUser = {
  lane: 0,
  leaves: 'settled',
  program: Array.from({ length: 3 }, () => ({
    pauseMs: 0,
    waits: true,
    kind: 'enqueue',
    work: { ms: 1_500, ends: [], honorsSignal: false, backOffMs: 50 },
  })),
};

const longRun = { ms: 1_500, ends: [], honorsSignal: true, backOffMs: 50 };
/** Cancels each of its requests while it runs. */
const userWhoCancelsRuns: SimulatedUser = {
  lane: 0,
  leaves: 'settled',
  program: Array.from({ length: 3 }, () => [
    { pauseMs: 0, waits: true, kind: 'enqueue' as const, work: longRun },
    { pauseMs: 400, waits: true, kind: 'cancel' as const, which: 0 },
  ]).flat(),
};

/** Its first attempt fails, and the next one is so far away that a person must decide. */
const userInBackOff: SimulatedUser = {
  lane: 0,
  leaves: 'settled',
  program: [
    {
      pauseMs: 0,
      waits: true,
      kind: 'enqueue',
      work: { ms: 0, ends: ['retry'], honorsSignal: true, backOffMs: endlessBackOffMs },
    },
  ],
};

/** Makes the entry look as if it waited for its next attempt. */
const takeForWaiting = ({ database }: Site, { userId, seq }: EntryId): void => {
  const entry = database.entries.get(`${userId}:${seq}`);
  if (entry?.status === 'processing') entry.retryAt ??= new Date(0);
};

/** Reads an entry in its back-off as it was when the back-off began. */
const rememberBackOffs = (ledger: LaneDeps['ledger'], { database }: Site): LaneDeps['ledger'] => {
  const remembered = new Map<string, LedgerEntry>();
  const idOf = ({ userId, seq }: EntryId) => `${userId}:${seq}`;
  return {
    ...ledger,
    async commit(changes) {
      const results = await ledger.commit(changes);
      changes.forEach((change, index) => {
        const entry = database.entries.get(idOf(change));
        if (change.kind !== 'retry' || !results[index]?.applied || !entry) return;
        remembered.set(idOf(change), { ...structuredClone(entry), status: 'processing', retryAt: change.retryAt });
      });
      return results;
    },
    read: async (ids) => (await ledger.read(ids)).map((entry) => remembered.get(idOf(entry)) ?? entry),
  };
};

/** Always waits for its next attempt. */
const userWhoBacksOff: SimulatedUser = {
  lane: 0,
  leaves: 'settled',
  program: Array.from({ length: 3 }, () => ({
    pauseMs: 0,
    waits: true,
    kind: 'enqueue',
    work: { ms: 0, ends: ['retry', 'retry', 'retry'], honorsSignal: true, backOffMs: 1_000 },
  })),
};

/** Sends a request, and another one after every process has measured MongoDB's time again. */
const userThatComesBack: SimulatedUser = {
  lane: 0,
  leaves: 'settled',
  program: [0, 65_000].map((pauseMs) => ({
    pauseMs,
    waits: true,
    kind: 'enqueue',
    work: { ms: 0, ends: [], honorsSignal: true, backOffMs: 50 },
  })),
};

/** MongoDB's clock is set back by ten minutes after the first request, and the message of the second one gets lost. */
const setBackThenUnpublished: SimulatedFault[] = [
  { after: 200, kind: 'store clock jumps', target: 1, ms: 100_000 },
  { after: 200, kind: 'publish fails before', target: 1, ms: 0 },
];

/** Gives the entry the token of the change before the commit, so that the change passes every check of the token. */
const forgetTokens =
  (commit: LaneDeps['ledger']['commit'], { database }: Site): LaneDeps['ledger']['commit'] =>
  (changes) => {
    for (const change of changes) {
      const entry = database.entries.get(`${change.userId}:${change.seq}`);
      if (!entry) continue;
      if (change.kind === 'claim') delete entry.token;
      else if (entry.status === 'processing') Object.assign(entry, { token: change.token, attempts: change.attempt });
    }
    return commit(changes);
  };

const declareAndDelete = (deps: FunctionDeps, { broker, step }: Site): FunctionDeps => ({
  ...deps,
  publisher: {
    ...deps.publisher,
    async publishRequest(userId, message) {
      await step(`declare ${userId} in a function`, () => broker.declareUserQueue(userId));
      return deps.publisher.publishRequest(userId, message);
    },
  },
  userQueues: {
    ...deps.userQueues,
    async removeSession(userId, sessionId) {
      const queue = await deps.userQueues.removeSession(userId, sessionId);
      const isLast = queue?.sessions.length === 0;
      if (isLast) await step(`delete ${userId} in a function`, () => broker.deleteUserQueue(userId));
      return queue;
    },
  },
});

const withoutBackOffs =
  (read: LaneDeps['ledger']['read']): LaneDeps['ledger']['read'] =>
  async (ids) =>
    (await read(ids)).map(({ backOffMs: _backOffMs, ...entry }) => entry);

const stuckSince =
  (stuck: LaneDeps['userQueues']['stuck']): LaneDeps['userQueues']['stuck'] =>
  ({ from }, ...rest) =>
    stuck({ from, to: new Date(8e15) }, ...rest);

export const breaks: Break[] = [
  {
    name: 'R1',
    what: 'a request that RabbitMQ returns as unroutable counts as published',
    function: (deps) => ({
      ...deps,
      publisher: {
        ...deps.publisher,
        publishRequest: async (...message) => {
          await deps.publisher.publishRequest(...message);
          return 'routed';
        },
      },
    }),
    scenarios: calm,
    shows: ['unfinished'],
    withinRuns: 2_000,
  },
  {
    name: 'R2',
    what: 'functions declare the user queue before they publish, and delete it when the last session ends',
    function: declareAndDelete,
    scenarios: { ...calm, hasty: true, fixed: { pace: slow } },
    shows: ['leftover-queue'],
    withinRuns: 4_000,
  },
  {
    name: 'R3',
    what: 'batons are not published',
    worker: (deps) => ({ ...deps, publisher: { ...deps.publisher, publishBaton: async () => 'routed' } }),
    scenarios: calm,
    shows: ['no-baton', 'unfinished'],
    withinRuns: 20,
  },
  {
    name: 'R4',
    what: 'a worker always believes that the lease is its own',
    worker: (deps) => ({ ...deps, lanes: trustOwnLease(deps.lanes) }),
    scenarios: {
      ...only(),
      fixed: { lanes: 1, workers: 2, users: [steadyUser, steadyUser], faults: frozenAcquisition, pace: slow },
    },
    shows: ['stale-claim'],
    withinRuns: 2_000,
  },
  {
    name: 'R5',
    what: 'a wake for a loaded user is dropped',
    worker: (deps) => ({ ...deps, laneBroker: dropWakesOfLoaded(deps.laneBroker) }),
    scenarios: calm,
    shows: ['unfinished'],
    withinRuns: 200,
  },
  {
    name: 'R6',
    what: 'a worker ignores that its user queue was deleted',
    worker: (deps) => ({ ...deps, laneBroker: dropCancels(deps.laneBroker) }),
    scenarios: { ...only('user queue deleted'), hasty: true, smooth: true, fixed: { idleTimeoutMs: 3_600_000 } },
    shows: ['unfinished'],
    withinRuns: 3_000,
  },
  {
    name: 'R7',
    what: 'claims and settlements ignore the fencing token',
    worker: (deps, site) => ({ ...deps, ledger: { ...deps.ledger, commit: forgetTokens(deps.ledger.commit, site) } }),
    scenarios: cutOffs,
    shows: ['second-outcome', 'stale-claim', 'repeat', 'inversion', 'token-down'],
    withinRuns: 1_000,
  },
  {
    name: 'R8',
    what: 'closing does not compare `accepted`',
    worker: (deps, { database, step }) => ({
      ...deps,
      userQueues: {
        ...deps.userQueues,
        beginClose: (userId, _accepted, _onlyWithoutSession, now) =>
          step(`userQueues.beginClose ${userId}`, () => {
            const queue = database.userQueues.get(userId);
            if (queue?.state !== 'open') return false;
            Object.assign(queue, { state: 'closing', settled: queue.accepted, updatedAt: now });
            return true;
          }),
        endClose: (userId, _accepted, now) =>
          step(`userQueues.endClose ${userId}`, () => {
            const queue = database.userQueues.get(userId);
            if (queue?.state !== 'closing') return false;
            Object.assign(queue, { state: 'closed', updatedAt: now });
            return true;
          }),
      },
    }),
    scenarios: calm,
    shows: ['loss', 'unsettled', 'unfinished', 'gap'],
    withinRuns: 1_000,
  },
  {
    name: 'R9',
    what: 'closing takes one step, and the queue is deleted after that step',
    worker: (deps, { database, step }) => ({
      ...deps,
      userQueues: {
        ...deps.userQueues,
        async beginClose(userId, accepted, onlyWithoutSession, now) {
          const begun = await deps.userQueues.beginClose(userId, accepted, onlyWithoutSession, now);
          const queue = database.userQueues.get(userId);
          if (begun && queue?.state === 'closing') queue.state = 'closed';
          return begun;
        },
        endClose: (userId) => step(`userQueues.endClose ${userId}`, () => true),
      },
    }),
    scenarios: kills,
    shows: ['leftover-queue', 'unfinished', 'loss', 'unsettled'],
    withinRuns: 2_000,
  },
  {
    name: 'R10-mark',
    what: 'functions do not learn that a user queue is refused',
    worker: (deps) => ({ ...deps, userQueues: { ...deps.userQueues, noteQueueRefused: async () => undefined } }),
    scenarios: only('user queue refused forever'),
    shows: ['unfinished'],
    withinRuns: 2_000,
  },
  {
    name: 'R11',
    what: 'the next owner does not know which requests are lent out',
    worker: (deps) => ({ ...deps, userQueues: { ...deps.userQueues, noteLent: async () => undefined } }),
    scenarios: { ...only('worker stopped', 'worker joined'), fixed: { users: [userWithDeafRuns, userWithDeafRuns] } },
    shows: ['overlap', 'repeat', 'stale-claim', 'second-outcome'],
    withinRuns: 500,
  },
  {
    name: 'R12',
    what: 'the end of a lent run does not wake the lane',
    worker: (deps) => ({ ...deps, publisher: { ...deps.publisher, publishWake: async () => 'routed' } }),
    scenarios: {
      ...only('worker stopped', 'worker joined'),
      fixed: { users: [userWithDeafRuns, userWithDeafRuns] },
    },
    shows: ['unfinished'],
    withinRuns: 500,
  },
  {
    name: 'R13',
    what: 'a worker does not check the queues that it was declaring when it lost the lane',
    worker: (deps) => ({
      ...deps,
      laneBroker: { ...deps.laneBroker, deleteUnusedUserQueue: async () => undefined },
    }),
    scenarios: { ...only('worker cut off', 'broker wiped', 'worker joined'), fixed: { pace: slow } },
    shows: ['leftover-queue'],
    withinRuns: 4_000,
  },
  {
    name: 'no-ledger-read',
    what: 'an acquisition loads no users',
    worker: (deps) => ({ ...deps, userQueues: loadNoUsers(deps.userQueues) }),
    scenarios: kills,
    shows: ['unfinished'],
    withinRuns: 200,
  },
  {
    name: 'no-tombstone',
    what: 'a ticket whose function died never gets a tombstone',
    worker: (deps) => ({ ...deps, ledger: { ...deps.ledger, insertTombstone: async () => false } }),
    scenarios: { faults: ['function killed'], sweep: true },
    shows: ['unfinished', 'gap'],
    withinRuns: 200,
  },
  {
    name: 'claim-after-run',
    what: 'a run starts before its claim',
    worker: (deps) => ({ ...deps, ledger: { ...deps.ledger, commit: claimLater(deps.ledger.commit) } }),
    scenarios: kills,
    shows: ['repeat', 'second-outcome', 'inversion', 'overlap'],
    withinRuns: 200,
  },
  {
    name: 'no-wait-for-own-run',
    what: 'a worker that acquires a lane again does not wait for the end of its own earlier run',
    worker: (deps) => ({ ...deps, config: { ...deps.config, graceMs: 0 } }),
    scenarios: { ...only('worker cut off'), fixed: { lanes: 1, workers: 1, users: [userWithDeafRuns] } },
    shows: ['overlap'],
    withinRuns: 50,
  },
  {
    name: 'decide-about-runs',
    what: 'a request can be cancelled or skipped while it runs',
    function: (deps, site) => ({
      ...deps,
      ledger: {
        ...deps.ledger,
        cancel: (id, now) => {
          takeForWaiting(site, id);
          return deps.ledger.cancel(id, now);
        },
        skip: (id, now) => {
          takeForWaiting(site, id);
          return deps.ledger.skip(id, now);
        },
      },
    }),
    scenarios: { ...calm, fixed: { users: [userWhoCancelsRuns] } },
    shows: ['second-outcome', 'overlap', 'repeat'],
    withinRuns: 50,
  },
  {
    name: 'back-off-unnoticed',
    what: 'an owner does not notice that a person decided about a request in its back-off',
    worker: (deps, site) => ({ ...deps, ledger: rememberBackOffs(deps.ledger, site) }),
    scenarios: { ...calm, fixed: { users: [userInBackOff] } },
    shows: ['unfinished'],
    withinRuns: 50,
  },
  {
    name: 'rerun-once',
    what: 'a request that must not run twice runs again after an interruption',
    worker: (deps) => ({ ...deps, planRun: () => ({ kind: 'here', timeoutMs: 0 }) }),
    scenarios: kills,
    shows: ['repeat'],
    withinRuns: 500,
  },
  {
    name: 'sweep-off',
    what: 'the sweep finds no users',
    worker: (deps) => ({ ...deps, userQueues: sweepNoUsers(deps.userQueues) }),
    scenarios: { faults: ['function killed', 'publish fails before', 'broker down'], sweep: true },
    shows: ['unfinished'],
    withinRuns: 200,
  },
  {
    name: 'host-durations',
    what: 'a worker measures back-offs and other durations with the clock of its host',
    worker: (deps, { host }) => ({ ...deps, clock: { ...deps.clock, monotonicMs: () => host.now().getTime() } }),
    scenarios: { faults: ['worker clock jumps'], sweep: true },
    shows: ['late'],
    withinRuns: 2_000,
  },
  {
    name: 'host-time',
    what: 'functions and workers take the clock of their host for the time of MongoDB',
    worker: (deps, { host }) => ({ ...deps, clock: host }),
    function: (deps, { host }) => ({ ...deps, clock: host }),
    scenarios: { faults: ['worker clock jumps', 'function clock jumps'], sweep: true },
    shows: ['session-lost'],
    withinRuns: 500,
  },
  {
    name: 'back-off-uncapped',
    what: 'a new owner waits for the recorded end of a back-off, however far away it is',
    worker: (deps) => ({ ...deps, ledger: { ...deps.ledger, read: withoutBackOffs(deps.ledger.read) } }),
    scenarios: {
      faults: ['store clock jumps', 'worker cut off'],
      sweep: true,
      fixed: { users: [userWhoBacksOff, userWhoBacksOff], sessionMs: 3_600_000, idleTimeoutMs: 3_000 },
    },
    shows: ['late', 'unfinished'],
    withinRuns: 2_000,
  },
  {
    name: 'times-ahead-hide',
    what: 'the sweep takes progress that was recorded before the clock was set back for recent',
    worker: (deps) => ({ ...deps, userQueues: { ...deps.userQueues, stuck: stuckSince(deps.userQueues.stuck) } }),
    scenarios: {
      faults: [],
      sweep: true,
      fixed: {
        lanes: 1,
        users: [userThatComesBack],
        faults: setBackThenUnpublished,
        sessionMs: 3_600_000,
        idleTimeoutMs: 3_600_000,
      },
    },
    shows: ['late', 'unfinished'],
    withinRuns: 300,
  },
];
