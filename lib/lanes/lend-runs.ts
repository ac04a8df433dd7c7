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

/** `forMs`: this worker exits within this time; absent when it does not stop. `wanted`: whether the lane is still to be handed over. */
type Lending = { forMs?: number; wanted: () => boolean };

/** Call it when no run of these users can start. */
export const lendRuns = async (
  users: ReadonlyMap<string, LoadedUser>,
  lane: OwnedLane,
  { forMs, wanted }: Lending,
  { deps, workerId }: WorkerContext,
): Promise<void> => {
  const { clock, ledger, userQueues } = deps;
  const running = [...users.values()].flatMap((user) => user.running ?? []);
  if (running.length === 0) return;
  const loans = running.map(({ userId, seq }): Loan => ({ userId, seq, token: lane.token, workerId, forMs }));
  // From here on the end of these runs wakes the lane, whether its next owner finds them lent out or ended [R12].
  for (const run of running) run.lentOut = true;
  await persist(clock, wanted, async () => {
    const heads = await ledger.readHeads(loans);
    // A claim of ours that a later owner has replaced is not lent: the lane is lost.
    loseToLaterOwner(lane, heads);
    const replaced = new Set(heads.filter(({ token = 0 }) => token > lane.token).map(({ userId }) => userId));
    if (wanted()) await userQueues.noteLent(loans.filter(({ userId }) => !replaced.has(userId)));
  });
};
