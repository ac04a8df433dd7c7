import type { Deps } from '../deps.ts';
import { laneOf } from '../lane-of.ts';
import type { UserQueue } from '../types.ts';

type UserQueueDeps = Pick<Deps, 'userQueues'> & { config: Pick<Deps['config'], 'lanes'> };

/** The user queue of a user. One that was never used looks as if it had just closed; it is not recorded. */
export const userQueueOf = async (userId: string, { userQueues, config }: UserQueueDeps): Promise<UserQueue> => {
  const [found] = await userQueues.get([userId]);
  const lane = laneOf(userId, config.lanes);
  const unused = { state: 'closed' as const, accepted: 0, settled: 0, sessions: [], updatedAt: new Date(0) };
  return found ?? { userId, lane, ...unused };
};
