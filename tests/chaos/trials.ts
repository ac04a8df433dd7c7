/** For each break: the faults and the users that reveal it soonest on real servers. */
import type { BreakName } from './breaks.ts';
import type { ChaosOptions, ChaosResult, ChaosViolation } from './run.ts';

export type Trial = Pick<ChaosOptions, 'only' | 'aim' | 'quietMs' | 'habits' | 'env' | 'lateMs' | 'closedWithinMs'> & {
  /** How long the faults and the users continue. */
  seconds: number;
  everyMs: number;
  /** The violations that the break leads to. One of them is enough; other violations do not count. */
  shows: readonly ChaosViolation['kind'][];
  /** The longest time from the start of the run to the verdict. */
  withinSeconds: number;
};

/** Whether a run showed one of the expected violations in time. */
export const isCaught = (
  { shows, withinSeconds }: Pick<Trial, 'shows' | 'withinSeconds'>,
  { violations, seconds }: Pick<ChaosResult, 'violations' | 'seconds'>,
): boolean => seconds <= withinSeconds && violations.some(({ kind }) => shows.includes(kind));

/** A user waits, perhaps forever. */
const stuck = ['late', 'loss', 'unsettled', 'not-closed'] as const;
/** A worker continues although it no longer owns the lane. */
const staleOwner = ['second-outcome', 'wrong-outcome', 'inversion', 'repeat', 'overlap', 'token-down'] as const;

/**
 * Turns off what would repair the damage in the end and hide it: the sweep, and the refresh before an idle user queue
 * closes.
 */
const withoutSafetyNets = { STUCK_AFTER_MS: '3600000', IDLE_TIMEOUT_MS: '86400000' };

/** Users that wait for their results before they send more requests, because each request would wake the lane. */
const patient = { users: 12, awaitResultMs: 9_000, hasty: false } as const;
const kills = { only: ['worker killed'], everyMs: 3_000 } as const;
/** When a worker dies, some of its users have pending requests, and no later request wakes the lane for them. */
const stranded = {
  seconds: 25,
  lateMs: 5_000,
  closedWithinMs: 10_000,
  env: withoutSafetyNets,
  habits: { ...patient, burst: [8, 14], runMs: [200, 500] },
} as const;

const refusals = { only: ['user queue refused'], everyMs: 700, seconds: 25 } as const;
/** Many runs go on longer than a hand-over waits, and others of the same user follow. */
const deploys = {
  only: ['container replaced'],
  everyMs: 6_000,
  seconds: 30,
  // Slots for all: who waits here, waits for a lane.
  env: { CONCURRENCY: '64' },
  habits: { ...patient, burst: [3, 6], longRuns: 0.3 },
} as const;
/** Without the safety nets and without further requests, a user that was forgotten waits. */
const stillness = { lateMs: 5_000, closedWithinMs: 15_000, env: withoutSafetyNets } as const;

export const trials: Record<BreakName, Trial> = {
  R1: {
    shows: ['late'],
    withinSeconds: 120,
    only: ['connections delayed'],
    aim: { of: 'containers', to: 'broker' },
    everyMs: 700,
    seconds: 28,
    quietMs: 14_000,
    lateMs: 5_000,
    env: withoutSafetyNets,
    habits: { ...patient, awaitResultMs: 15_000, burst: [2, 3], bursts: [1, 1], spreadMs: 600, pauseMs: [50, 300] },
  },
  R2: {
    shows: ['leftover-queue'],
    withinSeconds: 120,
    only: ['connections frozen', 'connections halved'],
    aim: { of: 'apis', to: 'broker' },
    everyMs: 3_000,
    seconds: 30,
    habits: { newcomers: true, bursts: [2, 3], burst: [2, 3], pauseMs: [100, 600] },
  },
  R3: { shows: stuck, withinSeconds: 60, ...kills, ...stranded },
  R4: {
    shows: ['token-down', 'overlap', 'inversion'],
    withinSeconds: 130,
    only: ['connections cut'],
    aim: { of: 'containers', to: 'broker' },
    everyMs: 1_200,
    seconds: 60,
    // The second of two cuts comes while the next owner loads, and the worker that was cut first is back before that
    // load ends. One slot and quick flushes: the next request, which the new owner has not claimed yet, is there for
    // the stale one.
    env: { SLOW_LOAD_MS: '3000', LATE_NOTICE_MS: '2000', CONCURRENCY: '1', FLUSH_MS: '10' },
    habits: { ...patient, users: 16, burst: [6, 10], runMs: [100, 300] },
  },
  R5: {
    shows: stuck,
    withinSeconds: 40,
    only: [],
    everyMs: 1_000,
    seconds: 6,
    closedWithinMs: 8_000,
    env: withoutSafetyNets,
  },
  R6: {
    shows: ['late', 'loss', 'not-closed'],
    withinSeconds: 110,
    only: ['user queue deleted'],
    everyMs: 500,
    seconds: 20,
    lateMs: 4_000,
    env: withoutSafetyNets,
    // A burst is larger than a worker's prefetch, so a deletion loses messages, and no later request wakes the lane.
    habits: { ...patient, awaitResultMs: 12_000, burst: [25, 40], spreadMs: 1_000, runMs: [80, 160] },
  },
  R7: {
    shows: staleOwner,
    withinSeconds: 130,
    only: ['container frozen', 'connections frozen'],
    everyMs: 4_000,
    seconds: 40,
    env: { HEARTBEAT_SECONDS: '1', FROZEN_AFTER_MS: '3000' },
    habits: { ...patient, runMs: [1_500, 4_000], burst: [1, 2], awaitResultMs: 20_000 },
  },
  R8: {
    shows: ['loss', 'unsettled', 'gap', 'not-closed', 'wrong-outcome'],
    withinSeconds: 60,
    only: ['connections delayed'],
    everyMs: 3_000,
    seconds: 20,
    closedWithinMs: 8_000,
    env: { IDLE_TIMEOUT_MS: '100' },
    habits: { bursts: [3, 6], pauseMs: [20, 300], runMs: [0, 20] },
  },
  R9: {
    shows: ['leftover-queue', 'loss', 'unsettled', 'late'],
    withinSeconds: 90,
    only: ['worker killed', 'connections delayed'],
    aim: { of: 'containers', to: 'broker' },
    everyMs: 1_200,
    seconds: 25,
    closedWithinMs: 10_000,
    habits: { newcomers: true, bursts: [1, 1], burst: [1, 2], runMs: [0, 20], pauseMs: [50, 400] },
  },
  R10: {
    shows: ['repeat', 'late'],
    withinSeconds: 60,
    ...refusals,
    lateMs: 5_000,
    habits: { ...patient, runMs: [500, 1_500] },
  },
  // Few users, each refused again and again: its owner tries the queue, and looks for requests, more and more rarely.
  'R10-mark': {
    shows: ['late', 'loss', 'not-closed'],
    withinSeconds: 70,
    ...refusals,
    ...stillness,
    habits: { ...patient, users: 5 },
  },
  R11: { shows: ['repeat', 'overlap', 'second-outcome', 'wrong-outcome'], withinSeconds: 150, ...deploys },
  R12: {
    shows: ['late', 'loss', 'not-closed'],
    withinSeconds: 150,
    ...deploys,
    lateMs: 5_000,
    env: { ...deploys.env, ...withoutSafetyNets },
  },
  'no-lending': {
    shows: ['late'],
    withinSeconds: 150,
    ...deploys,
    lateMs: 5_000,
    // Every lane has several users: one of them in a long run, and others that must not wait for it.
    env: { ...deploys.env, LANES: '4', GRACE_MS: '15000' },
    habits: { ...deploys.habits, longRuns: 0.1, longRunMs: [8_000, 10_000] },
  },
  slots: {
    shows: ['late'],
    withinSeconds: 120,
    only: ['runs hung'],
    everyMs: 5_000,
    seconds: 25,
    lateMs: 5_000,
    env: { CONCURRENCY: '2' },
    habits: patient,
  },
  'no-ledger-read': { shows: stuck, withinSeconds: 60, ...kills, ...stranded },
  'no-tombstone': {
    shows: ['gap', 'not-closed', 'loss', 'unsettled'],
    withinSeconds: 60,
    only: ['api killed', 'connections delayed'],
    everyMs: 2_000,
    seconds: 25,
    closedWithinMs: 10_000,
  },
  'claim-after-run': {
    shows: ['repeat', 'second-outcome', 'wrong-outcome', 'inversion', 'overlap'],
    withinSeconds: 90,
    ...kills,
    seconds: 15,
    habits: { runMs: [100, 400] },
  },
  'host-clock': {
    shows: ['late', 'not-closed', 'unsettled'],
    withinSeconds: 100,
    only: ['host clock set'],
    everyMs: 3_000,
    seconds: 40,
    lateMs: 10_000,
    closedWithinMs: 20_000,
    // There is always somebody in a back-off when a clock is set back.
    env: { ...withoutSafetyNets, RETRY_BASE_MS: '2000', RETRY_MAX_MS: '4000' },
    habits: { ...patient, burst: [2, 5], runMs: [0, 100] },
  },
  'sweep-off': {
    shows: stuck,
    withinSeconds: 60,
    only: ['connections frozen', 'connections halved'],
    aim: { of: 'apis', to: 'broker' },
    everyMs: 2_500,
    seconds: 30,
    lateMs: 8_000,
    closedWithinMs: 10_000,
    env: { IDLE_TIMEOUT_MS: '86400000' },
    habits: { ...patient, awaitResultMs: 15_000 },
  },
};
