/** Disconnect: ends a session; the owner of the lane ends the user queue when it is drained. */
import type { Deps } from '../deps.ts';
import { pollUntil } from '../poll.ts';
import { hasLiveSession } from '../sessions.ts';
import { wakeLane } from './wake.ts';

/** `waitMs`: how long to wait for the owner to close the queue, 0 for not at all. */
export type DisconnectCommand = { userId: string; sessionId: string; pending: 'drain' | 'cancel'; waitMs: number };

/** `connected`: other sessions of the user live on. `draining`: requests, or the queue itself, are still being ended. */
export type QueueAfterDisconnect = 'connected' | 'draining' | 'closed';

type DisconnectDeps = Pick<Deps, 'userQueues' | 'ledger' | 'publisher' | 'clock' | 'log'>;

/** Repeating it is harmless. With `pending: cancel` whatever is still queued when the last session ends is cancelled. */
export const disconnect = async (command: DisconnectCommand, deps: DisconnectDeps): Promise<QueueAfterDisconnect> => {
  const { userId } = command;
  const queue = await deps.userQueues.removeSession(userId, command.sessionId);
  const now = deps.clock.now();
  if (queue && hasLiveSession(queue, now)) return 'connected';
  if (!queue || queue.state === 'closed') return 'closed';
  if (command.pending === 'cancel') {
    // What was accepted since belongs to a session that has logged in since.
    await deps.ledger.cancelQueued(userId, { after: queue.settled, upTo: queue.accepted }, now);
  }
  await wakeLane(queue.lane, userId, deps);
  const closed = await pollUntil(deps.clock, command.waitMs, async () => {
    const [current] = await deps.userQueues.get([userId]);
    return !current || current.state === 'closed' ? ('closed' as const) : undefined;
  });
  return closed ?? 'draining';
};
