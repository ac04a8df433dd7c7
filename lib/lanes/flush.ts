/** What an owner records about its users from time to time: what is settled, and that a user waits for a reason it knows. */
import type { Progress } from '../ports.ts';
import type { LaneDeps } from './context.ts';
import { type LoadedUser, waitsForKnownReason } from './loaded-user.ts';

/**
 * Users in one statement. Some servers and disks need milliseconds for each update: a statement for all users of a worker would exceed
 * its timeout, and then none of them has shown progress.
 */
const usersPerStatement = 100;

/** `isHeld`: whether this worker still holds the user's lane. */
export type DueFlush = { user: LoadedUser; progress: Progress; isHeld: () => boolean };

/** New settlements, and waiting users last vouched for before `vouchedBefore`. */
export const dueFlushes = (users: Iterable<LoadedUser>, vouchedBefore: number, isHeld: () => boolean): DueFlush[] => {
  const due: DueFlush[] = [];
  for (const user of users) {
    const { userId, settledBytes } = user;
    const settled = user.next - 1;
    const advanced = settled > user.flushed;
    if (advanced || (user.vouchedAt < vouchedBefore && waitsForKnownReason(user)))
      due.push({ user, progress: { userId, settled, settledBytes, advanced }, isHeld });
  }
  return due;
};

/** Those flushed longest ago come first, so that those whose statement failed are flushed first the next time. */
const byTurn = ({ user: one }: DueFlush, { user: other }: DueFlush): number => {
  if (one.vouchedAt === other.vouchedAt) return 0;
  return one.vouchedAt < other.vouchedAt ? -1 : 1;
};

type FlushDeps = Pick<LaneDeps, 'clock' | 'userQueues'>;

const flushTogether = async (due: DueFlush[], { clock, userQueues }: FlushDeps): Promise<void> => {
  const at = clock.monotonicMs();
  await userQueues.flushSettled(
    due.map(({ progress }) => progress),
    clock.now(),
  );
  for (const { user, progress } of due) {
    user.flushed = Math.max(user.flushed, progress.settled);
    user.vouchedAt = at;
  }
};

/**
 * Goes on after a statement that fails, because the next flush starts with it: one that fails again and again would keep those
 * behind it from their turn. A flush may take long, so each statement leaves out the users of lanes that were lost meanwhile. While
 * MongoDB is away that ends the flush: the worker gives its lanes up.
 *
 * @throws the first failure, at the end.
 */
export const flush = async (due: DueFlush[], deps: FlushDeps): Promise<void> => {
  const inTurn = due.toSorted(byTurn);
  const failures: unknown[] = [];
  for (let first = 0; first < inTurn.length; first += usersPerStatement) {
    const held = inTurn.slice(first, first + usersPerStatement).filter(({ isHeld }) => isHeld());
    if (held.length > 0) await flushTogether(held, deps).catch((error) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
};
