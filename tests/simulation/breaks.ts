/**
 * The breaks that the simulation must detect. Each one breaks a step of the protocol by wrapping the `Deps` of a worker
 * or of a function. R1 to R16 are rules of the protocol.
 */
import type { LaneDeps } from '../../lib/lanes/context.ts';
import type { Clock } from '../../lib/ports.ts';
import type { MemoryBroker } from '../../lib/testing/memory-broker.ts';
import type { MemoryDatabase, Step } from '../../lib/testing/memory-stores.ts';
import {
  claimLater,
  dropCancels,
  dropWakesOfLoaded,
  loadNoUsers,
  sweepNoUsers,
  trustOwnLease,
} from '../breaks/wrappers.ts';
import {
  cancelledRuns,
  capIntroduced,
  cutOffs,
  decidedBackOff,
  deletedQueue,
  endedRuns,
  endlessRuns,
  frozenOwner,
  handoversWithOpenings,
  hostSetBack,
  kills,
  leavingEarly,
  lending,
  lendingWithWrongClocks,
  manyUsers,
  queueRefusedSuddenly,
  refusedQueue,
  sameOwnerAgain,
  silentStore,
  storeSetBackWhileIdle,
  storeSetInBackOffs,
  togetherInTwo,
} from './break-scenarios.ts';
import {
  believeMessages,
  closeLanesAtOnce,
  declareAndDelete,
  forgetEnds,
  forgetTokens,
  hideLoans,
  publishAnother,
  rememberBackOffs,
  stuckSince,
  takeForWaiting,
  takeLatestTicket,
  takeLentOver,
  takeOverAnything,
  withoutBackOffs,
  withoutMarkBeyondCap,
  withoutRefreshAfterRefusal,
} from './break-wrappers.ts';
import type { FunctionDeps } from './clients.ts';
import { calm, type ScenarioKind } from './scenario.ts';
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

/** A worker with an older heartbeat is dead. */
const heartbeatOldMs = 15_000;

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
    withinRuns: 1_000,
  },
  {
    name: 'outcome-of-another',
    what: 'a call takes what the document says later for the ticket that its own update took',
    function: takeLatestTicket,
    scenarios: togetherInTwo,
    shows: ['error'],
    withinRuns: 50,
  },
  {
    name: 'R2',
    what: 'functions declare the user queue before they publish, and delete it when the last session ends',
    function: declareAndDelete,
    scenarios: leavingEarly,
    shows: ['leftover-queue'],
    withinRuns: 500,
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
    scenarios: frozenOwner,
    shows: ['stale-claim'],
    withinRuns: 500,
  },
  {
    name: 'R5',
    what: 'a wake for a loaded user is dropped',
    worker: (deps) => ({ ...deps, laneBroker: dropWakesOfLoaded(deps.laneBroker) }),
    scenarios: calm,
    shows: ['unfinished'],
    withinRuns: 100,
  },
  {
    name: 'R6',
    what: 'a worker ignores that its user queue was deleted',
    worker: (deps) => ({ ...deps, laneBroker: dropCancels(deps.laneBroker) }),
    scenarios: deletedQueue,
    shows: ['unfinished'],
    // Large requests come by a wake: a lost message is rarer.
    withinRuns: 400,
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
    withinRuns: 500,
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
    withinRuns: 300,
  },
  {
    name: 'R10-mark',
    what: 'functions do not learn that a user queue is refused, and the owner does not look what they accepted',
    worker: (deps) => ({
      ...deps,
      userQueues: {
        ...deps.userQueues,
        noteQueueRefused: async () => undefined,
        lastTickets: async () => new Map(),
      },
    }),
    scenarios: refusedQueue,
    shows: ['late'],
    withinRuns: 100,
  },
  {
    name: 'R10-refresh',
    what: 'a worker whose user queue is refused does not refresh the user',
    worker: withoutRefreshAfterRefusal,
    scenarios: queueRefusedSuddenly,
    shows: ['unfinished', 'late'],
    withinRuns: 500,
  },
  {
    name: 'R11',
    what: 'the next owner does not know which requests are lent out',
    worker: (deps) => ({ ...deps, userQueues: { ...deps.userQueues, noteLent: async () => undefined } }),
    scenarios: lending,
    shows: ['overlap', 'repeat', 'stale-claim', 'second-outcome'],
    withinRuns: 200,
  },
  {
    name: 'R11-requeue',
    what: 'a request that is lent out is queued again',
    worker: takeLentOver({ kind: 'requeue' }),
    scenarios: lending,
    shows: ['overlap', 'repeat', 'second-outcome'],
    withinRuns: 200,
  },
  {
    name: 'R11-give-up',
    what: 'a request that is lent out is given up',
    worker: takeLentOver({
      kind: 'give-up',
      status: 'failed',
      error: { name: 'Error', message: 'given up' },
      reason: 'interrupted',
    }),
    scenarios: lending,
    shows: ['overlap', 'second-outcome', 'wrong-outcome'],
    withinRuns: 300,
  },
  {
    name: 'host-loans',
    what: 'a loan ends when the last heartbeat of the lender is old by the clocks of the two hosts',
    worker: (deps, { database, host }) => ({
      ...deps,
      userQueues: hideLoans(deps.userQueues, ({ workerId }) => {
        const { at } = database.heartbeats.get(workerId) ?? { at: new Date(0) };
        return host.now().getTime() - at.getTime() > heartbeatOldMs;
      }),
      workers: { ...deps.workers, report: (beat) => deps.workers.report({ ...beat, at: host.now() }) },
    }),
    scenarios: lendingWithWrongClocks,
    shows: ['overlap', 'repeat', 'second-outcome'],
    withinRuns: 200,
  },
  {
    name: 'R12',
    what: 'the end of a lent run does not wake the lane',
    worker: (deps) => ({ ...deps, publisher: { ...deps.publisher, publishWake: async () => 'routed' } }),
    scenarios: lending,
    shows: ['unfinished'],
    withinRuns: 200,
  },
  {
    name: 'R13',
    what: 'a worker does not check the queues that it was declaring when it lost the lane',
    worker: (deps) => ({
      ...deps,
      laneBroker: { ...deps.laneBroker, deleteUnusedUserQueue: async () => undefined },
    }),
    scenarios: handoversWithOpenings,
    shows: ['leftover-queue'],
    withinRuns: 1_200,
  },
  {
    name: 'R14',
    what: 'a request whose run was ended is claimed again',
    worker: (deps, site) => ({ ...deps, ledger: forgetEnds(deps.ledger, site) }),
    scenarios: endedRuns,
    shows: ['ended-ran-again'],
    withinRuns: 50,
  },
  {
    name: 'R15',
    what: 'a worker deletes a queue beyond the cap, and neither marks the user nor refreshes it',
    worker: withoutMarkBeyondCap,
    scenarios: capIntroduced,
    shows: ['unfinished', 'loss'],
    withinRuns: 200,
  },
  {
    name: 'R16',
    what: 'a worker gives its lanes up while runs go on that ignore their signal',
    worker: closeLanesAtOnce,
    scenarios: silentStore,
    shows: ['overlap'],
    withinRuns: 50,
  },
  {
    name: 'cap-ignored',
    what: 'a worker opens as many queues as it has users',
    worker: (deps) => ({ ...deps, config: { ...deps.config, maxOpenQueues: 0 } }),
    scenarios: manyUsers,
    shows: ['above-cap'],
    withinRuns: 20,
  },
  {
    name: 'end-unnoticed',
    what: 'a worker does not notice that an operator ended its run',
    worker: (deps) => ({
      ...deps,
      ledger: {
        ...deps.ledger,
        readHeads: async (ids) => (await deps.ledger.readHeads(ids)).map(({ endRequestedAt: _, ...head }) => head),
      },
    }),
    scenarios: endlessRuns,
    shows: ['unfinished'],
    withinRuns: 10,
  },
  {
    name: 'gone-early',
    what: 'a worker that retires counts as gone before its process has ended',
    worker: (deps) => ({
      ...deps,
      workers: {
        ...deps.workers,
        report: (beat) =>
          deps.workers.report({ ...beat, gone: beat.gone || (beat.away && beat.unresponsive.length > 0) }),
      },
    }),
    scenarios: endlessRuns,
    shows: ['overlap', 'second-outcome', 'repeat'],
    withinRuns: 100,
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
    shows: ['repeat', 'second-outcome', 'wrong-outcome', 'inversion', 'overlap'],
    withinRuns: 200,
  },
  {
    name: 'no-wait-for-own-run',
    what: 'a worker that acquires a lane again does not wait for the end of its own earlier run',
    worker: (deps) => ({ ...deps, config: { ...deps.config, graceMs: 0 } }),
    scenarios: sameOwnerAgain,
    shows: ['overlap'],
    withinRuns: 100,
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
    scenarios: cancelledRuns,
    shows: ['second-outcome', 'overlap', 'repeat'],
    withinRuns: 50,
  },
  {
    name: 'back-off-unnoticed',
    what: 'an owner does not notice that a person decided about a request in its back-off',
    worker: (deps, site) => ({ ...deps, ledger: rememberBackOffs(deps.ledger, site) }),
    scenarios: decidedBackOff,
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
    name: 'take-over',
    what: 'an interrupted request is queued again or given up although it was settled or claimed meanwhile',
    worker: (deps, site) => ({
      ...deps,
      ledger: { ...deps.ledger, commit: takeOverAnything(deps.ledger.commit, site) },
    }),
    scenarios: cutOffs,
    shows: ['second-outcome', 'wrong-outcome', 'repeat'],
    withinRuns: 1_000,
  },
  {
    name: 'believe-messages',
    what: 'a claim does not compare what a message says with the ledger, and messages say something else',
    worker: (deps) => ({ ...deps, ledger: { ...deps.ledger, commit: believeMessages(deps.ledger.commit) } }),
    function: publishAnother,
    scenarios: calm,
    shows: ['wrong-body'],
    withinRuns: 50,
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
    scenarios: hostSetBack,
    shows: ['late'],
    withinRuns: 500,
  },
  {
    name: 'host-time',
    what: 'functions and workers take the clock of their host for the time of MongoDB',
    worker: (deps, { host }) => ({ ...deps, clock: host }),
    function: (deps, { host }) => ({ ...deps, clock: host }),
    scenarios: { faults: ['worker clock jumps', 'function clock jumps'], sweep: true },
    shows: ['session-lost'],
    withinRuns: 200,
  },
  {
    name: 'back-off-uncapped',
    what: 'a new owner waits for the recorded end of a back-off, however far away it is',
    worker: (deps) => ({ ...deps, ledger: { ...deps.ledger, readWork: withoutBackOffs(deps.ledger.readWork) } }),
    scenarios: storeSetInBackOffs,
    shows: ['late', 'unfinished'],
    withinRuns: 1_500,
  },
  {
    name: 'times-ahead-hide',
    what: 'the sweep takes progress that was recorded before the clock was set back for recent',
    worker: (deps) => ({ ...deps, userQueues: { ...deps.userQueues, stuck: stuckSince(deps.userQueues.stuck) } }),
    scenarios: storeSetBackWhileIdle,
    shows: ['late', 'unfinished'],
    withinRuns: 50,
  },
];
