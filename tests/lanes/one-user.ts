/** One loaded user, and what arrives for it, for the tests of its record and of the decisions about it. */
import { BodyBudget } from '../../lib/lanes/body-budget.ts';
import { decideStep, type Step } from '../../lib/lanes/decide-step.ts';
import { type LoadedUser, loadUser } from '../../lib/lanes/loaded-user.ts';
import type { Moment } from '../../lib/lanes/moment.ts';
import type { LedgerEntry, UserQueue } from '../../lib/types.ts';

export const start = new Date('2026-01-01T00:00:00Z');
export const at = (ms: number) => new Date(start.getTime() + ms);
/** `ms` after the start, on both clocks. */
export const moment = (ms = 0): Moment => ({ ms, date: at(ms) });
const limits = { gapTimeoutMs: 1_000, idleTimeoutMs: 60_000, stuckAfterMs: 5_000 };

export const queueOf = (changes: Partial<UserQueue> = {}): UserQueue => ({
  userId: 'u',
  lane: 3,
  sessions: [{ id: 's', expiresAt: at(1e9) }],
  state: 'open',
  accepted: 0,
  settled: 0,
  updatedAt: start,
  ...changes,
});

export const entryOf = (seq: number, changes: Partial<LedgerEntry> = {}): LedgerEntry => ({
  userId: 'u',
  seq,
  body: `"${seq}"`,
  status: 'queued',
  attempts: 0,
  acceptedAt: start,
  ...changes,
});

export const delivery = () => {
  const acks = {
    count: 0,
    ack: () => {
      acks.count += 1;
    },
  };
  return acks;
};

export const message = (seq: number) => ({ seq, body: `"${seq}"`, acceptedAt: start.getTime() });
export const user = (changes: Partial<UserQueue> = {}): LoadedUser => ({
  ...loadUser(queueOf(changes), moment(), new BodyBudget(2 ** 30)),
  queue: 'open',
});
export const step = (of: LoadedUser, ms = 0): Step => decideStep(of, ms, limits);
