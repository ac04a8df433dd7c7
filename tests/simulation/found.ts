/** Scenarios in which a campaign once found a violation with nothing broken. */
import { leavingEarly } from './break-scenarios.ts';
import type { Scenario } from './scenario.ts';

const leaving: Omit<Scenario, 'seed'> = {
  pace: { slowness: 0, holdUp: 0, holdUpMs: 0, sluggish: '' },
  sweep: false,
  lanes: 1,
  workers: 2,
  concurrency: 1,
  maxPending: 1_000,
  sessionMs: 3_600_000,
  skewMs: 0,
  maxOpenQueues: [0],
  idleTimeoutMs: 3_600_000,
  users: [],
  faults: [],
  ...leavingEarly.fixed,
};

export const found: [what: string, scenario: Scenario][] = [
  [
    'an earlier owner declares a user queue between the last two steps of closing [R13]',
    { ...leaving, seed: 502_410_414, skewMs: 60_000 },
  ],
  [
    'the check for a late declare comes when everything else is at rest [R13]',
    { ...leaving, seed: 1_449_916_027, workers: 3, idleTimeoutMs: 3_000 },
  ],
];
