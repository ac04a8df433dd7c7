import type { Demand } from '../ports.ts';
import { hasWork, type LoadedUser } from './loaded-user.ts';

type Waiting = Pick<LoadedUser, 'next' | 'known' | 'activity'> & { held: Pick<LoadedUser['held'], 'get'> };

/** What these users wait for. Nobody else knows: the database says of each of them only that it has pending requests. */
export const demandOf = (users: Iterable<Waiting>): Demand => {
  const demand: Demand = { waitingSince: null, blockedUsers: 0, blockedRequests: 0 };
  for (const { next, known, activity, held } of users) {
    const first = held.get(next);
    if (first?.blocked) {
      demand.blockedUsers += 1;
      demand.blockedRequests += known - next + 1;
    } else if (first && activity === 'ready') {
      const { waitingSince } = demand;
      if (!waitingSince || first.acceptedAt < waitingSince) demand.waitingSince = first.acceptedAt;
    }
  }
  return demand;
};

/** How many of these users have pending work. */
export const busyOf = (users: Iterable<LoadedUser>): number => {
  let busy = 0;
  for (const user of users) if (hasWork(user)) busy += 1;
  return busy;
};
