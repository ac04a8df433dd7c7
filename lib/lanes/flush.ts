/** What an owner records about its users from time to time: what is settled, and that a user waits for a reason it knows. */
import type { Progress } from '../ports.ts';
import type { LaneDeps } from './context.ts';
import { type LoadedUser, waitsForKnownReason } from './loaded-user.ts';

/**
 * Users in one statement. Some servers and disks need milliseconds for each update: a statement for all users of a worker would exceed
 * its timeout, and then none of them has shown progress.
 */
const usersPerStatement = 100;

export type DueFlush = { user: LoadedUser; progress: Progress };

/** New settlements, and waiting users last vouched for before `vouchedBefore`. */
export const dueFlushes = (users: Iterable<LoadedUser>, vouchedBefore: number): DueFlush[] => {
  const due: DueFlush[] = [];
  for (const user of users) {
    const { userId, settledBytes } = user;
    const settled = user.next - 1;
    const advanced = settled > user.flushed;
    if (advanced || (user.vouchedAt < vouchedBefore && waitsForKnownReason(user)))
      due.push({ user, progress: { userId, settled, settledBytes, advanced } });
  }
  return due;
};

/** Those flushed longest ago come first, so that a statement that fails again and again keeps nobody from its turn. */
const byTurn = ({ user: one }: DueFlush, { user: other }: DueFlush): number => {
  if (one.vouchedAt === other.vouchedAt) return 0;
  return one.vouchedAt < other.vouchedAt ? -1 : 1;
};

/** Ends at the first statement that fails. What was flushed before it stays noted. */
export const flush = async (
  due: DueFlush[],
  { clock, userQueues }: Pick<LaneDeps, 'clock' | 'userQueues'>,
): Promise<void> => {
  const inTurn = due.toSorted(byTurn);
  for (let first = 0; first < inTurn.length; first += usersPerStatement) {
    const slice = inTurn.slice(first, first + usersPerStatement);
    const at = clock.monotonicMs();
    await userQueues.flushSettled(
      slice.map(({ progress }) => progress),
      clock.now(),
    );
    for (const { user, progress } of slice) {
      user.flushed = Math.max(user.flushed, progress.settled);
      user.vouchedAt = at;
    }
  }
};
