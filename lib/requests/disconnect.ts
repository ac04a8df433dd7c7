/** Disconnect: ends a session. The owner of the lane closes the user queue once it is drained. */
import type { Deps } from '../deps.ts';
import type { Wait } from '../long-polls.ts';
import type { Hints } from '../ports.ts';
import { permanentSession } from '../references.ts';
import { endsWith, isKeptOpen, isLiveSession } from '../sessions.ts';
import type { UserQueue } from '../types.ts';
import { wakeLane } from '../wake.ts';

/** With `wait`, the call waits until the owner has closed the queue. A back end ends the permanent session. */
export type DisconnectCommand = { userId: string; sessionId: string; pending: 'drain' | 'cancel'; wait?: Wait };

/** `connected`: other sessions keep the user queue open. `draining`: the owner has not closed the queue yet. */
export type QueueAfterDisconnect = 'connected' | 'draining' | 'closed';

type DisconnectDeps = Pick<Deps, 'userQueues' | 'ledger' | 'publisher' | 'clock' | 'log'> & { hints?: Hints };

/**
 * Ends the session of the caller. With `pending: cancel`, ending the last session cancels every request that is queued, blocked or in
 * its back-off then. Unlike `cancelRequest` this includes requests that were interrupted and wait to run again.
 *
 * It cancels before it ends the session, so that a call that failed half-way can be repeated. A session that has ended changes nothing:
 * whoever has its token must not decide about a user who has left, or is back. A back end may: it decides for its users.
 */
export const disconnect = async (command: DisconnectCommand, deps: DisconnectDeps): Promise<QueueAfterDisconnect> => {
  const { userId, sessionId, pending, wait } = command;
  const now = deps.clock.now();
  const [before] = await deps.userQueues.get([userId]);
  if (!before) return 'closed';
  const mayDecide = sessionId === permanentSession.id || isLiveSession(before, now, sessionId);
  const after = mayDecide ? await endSession(before, { sessionId, cancels: pending === 'cancel' }, deps) : before;
  if (after && isKeptOpen(after, now)) return 'connected';
  if (!after || after.state === 'closed') return 'closed';
  if (mayDecide) await wakeLane(after.lane, userId, deps);
  const closed = await wait?.(`queue ${userId}`, async () => {
    const [current] = await deps.userQueues.get([userId]);
    return !current || current.state === 'closed' ? ('closed' as const) : undefined;
  });
  return closed ?? 'draining';
};

/** Requests accepted after the removal belong to a session that has logged in since. */
const endSession = async (
  before: UserQueue,
  { sessionId, cancels }: { sessionId: string; cancels: boolean },
  { userQueues, ledger, clock }: DisconnectDeps,
): Promise<UserQueue | undefined> => {
  const { userId, settled, accepted } = before;
  const now = clock.now();
  const others = before.sessions.filter((session) => !endsWith(session, sessionId));
  const cancelsFirst = cancels && !isKeptOpen({ sessions: others }, now);
  if (cancelsFirst) await ledger.cancelQueued(userId, { after: settled, upTo: accepted }, now);
  const after = await userQueues.removeSession(userId, sessionId);
  if (after && cancels && !isKeptOpen(after, now)) {
    const cancelled = cancelsFirst ? accepted : settled;
    await ledger.cancelQueued(userId, { after: cancelled, upTo: after.accepted }, now);
  }
  return after;
};
