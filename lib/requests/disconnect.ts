/** Disconnect: ends a session. The owner of the lane closes the user queue once it is drained. */
import type { Deps } from '../deps.ts';
import { pollUntil } from '../poll.ts';
import { hasLiveSession } from '../sessions.ts';
import { wakeLane } from '../wake.ts';

/** `waitMs`: how long to wait until the owner has closed the queue; 0 does not wait. */
export type DisconnectCommand = { userId: string; sessionId: string; pending: 'drain' | 'cancel'; waitMs: number };

/** `connected`: the user has other live sessions. `draining`: the owner has not closed the queue yet. */
export type QueueAfterDisconnect = 'connected' | 'draining' | 'closed';

type DisconnectDeps = Pick<Deps, 'userQueues' | 'ledger' | 'publisher' | 'clock' | 'log'>;

/**
 * Idempotent. With `pending: cancel`, ending the last session cancels every request that is queued, blocked or in its back-off
 * then. Unlike `cancelRequest` this includes requests that were interrupted and wait to run again.
 */
export const disconnect = async (command: DisconnectCommand, deps: DisconnectDeps): Promise<QueueAfterDisconnect> => {
  const { userId } = command;
  const queue = await deps.userQueues.removeSession(userId, command.sessionId);
  const now = deps.clock.now();
  if (queue && hasLiveSession(queue, now)) return 'connected';
  if (!queue || queue.state === 'closed') return 'closed';
  if (command.pending === 'cancel') {
    // Requests accepted after the removal belong to a session that has logged in since.
    await deps.ledger.cancelQueued(userId, { after: queue.settled, upTo: queue.accepted }, now);
  }
  await wakeLane(queue.lane, userId, deps);
  const closed = await pollUntil(deps.clock, command.waitMs, async () => {
    const [current] = await deps.userQueues.get([userId]);
    return !current || current.state === 'closed' ? ('closed' as const) : undefined;
  });
  return closed ?? 'draining';
};
