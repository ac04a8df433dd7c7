/** The age of requests that no owner knows of, for instance while RabbitMQ is down and no lane is owned. */
import type { StalledUser } from '../ports.ts';
import type { LaneDeps } from './context.ts';
import { isPending, oldestPendingOf } from './stalled-users.ts';

/** The oldest requests of this many users are read. With more users, the oldest of these is close to the oldest of all. */
const usersRead = 32;

/** When the oldest pending request of the first of these users was accepted; `undefined` when none is pending. */
export const oldestAcceptedAt = async (
  stalledUsers: StalledUser[],
  { ledger }: { ledger: Pick<LaneDeps['ledger'], 'readHeads' | 'oldestPending'> },
): Promise<Date | undefined> => {
  const oldest = await oldestPendingOf(stalledUsers.filter(isPending).slice(0, usersRead), ledger);
  const times = [...oldest.values()].map(({ acceptedAt }) => acceptedAt.getTime());
  return times.length === 0 ? undefined : new Date(Math.min(...times));
};
