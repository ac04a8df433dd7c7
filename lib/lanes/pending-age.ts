/** How long requests have waited that no owner knows of, as when RabbitMQ is away and no lane is owned. */
import type { StalledUser } from '../ports.ts';
import type { LaneDeps } from './context.ts';
import { isPending } from './stalled-users.ts';

/** Of how many users the oldest request is read at most: when they are more, the oldest of these is near the oldest of all. */
const usersLookedAt = 32;

/** When the oldest pending request of these users was accepted, of the first few of them; `undefined` when none is pending. */
export const oldestAcceptedAt = async (
  stalledUsers: StalledUser[],
  { ledger }: Pick<LaneDeps, 'ledger'>,
): Promise<Date | undefined> => {
  const pending = stalledUsers.filter(isPending).slice(0, usersLookedAt);
  const heads = await Promise.all(pending.map(({ userId, settled }) => ledger.oldestPending(userId, settled + 1)));
  const times = heads.flatMap((head) => (head ? [head.acceptedAt.getTime()] : []));
  return times.length === 0 ? undefined : new Date(Math.min(...times));
};
