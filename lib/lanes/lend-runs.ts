/** A handover while runs go on: they are lent out, so that the next owner serves everybody else at once [R11]. */
import type { Loan } from '../ports.ts';
import type { WorkerContext } from './context.ts';
import type { LoadedUser } from './loaded-user.ts';
import { loseToLaterOwner, type OwnedLane } from './owned-lane.ts';
import { persist } from './persist.ts';

/** How long a handover waits for runs to end before it lends them out. A run that has gone on for so long is lent out at once. */
export const lendAfterMs = 500;

/** Whether each step under way of these users is in a run that began by then. */
export const areOnlyRunsSince = (since: number, users: Iterable<LoadedUser>): boolean => {
  for (const { activity, running } of users) {
    if (activity === 'working' && !(running && running.since <= since)) return false;
  }
  return true;
};

/**
 * Call it when no step of these users can start, and every step under way is inside a run.
 *
 * @param forMs this worker exits within this time; `undefined` when it does not stop.
 */
export const lendRuns = async (
  users: LoadedUser[],
  lane: OwnedLane,
  { deps, workerId }: WorkerContext,
  forMs: number | undefined,
): Promise<void> => {
  const { clock, ledger, userQueues } = deps;
  const loans = users.flatMap(({ userId, running }): Loan[] =>
    running ? [{ userId, seq: running.seq, token: lane.token, workerId, forMs }] : [],
  );
  if (loans.length === 0) return;
  // From here on the end of these runs wakes the lane, whether its next owner finds them lent out or ended [R12].
  for (const { running } of users) if (running) running.lentOut = true;
  await persist(clock, lane.isHeld, async () => {
    // A claim of ours that a later owner has replaced is not lent: the lane is lost.
    loseToLaterOwner(lane, await ledger.readHeads(loans));
    if (lane.isHeld()) await userQueues.noteLent(loans);
  });
};
