/** Short texts that differ when something has changed: for whoever shows the overview, or one of the lists that it is about. */
import { createHash } from 'node:crypto';
import type { Heartbeat } from '../ports.ts';
import type { Overview } from './overview.ts';

/** `users` and `deadLetters`: of what `GET /users` and `GET /dead-letters` answer. */
export type Changes = { users: string; deadLetters: string };

const versionOf = (facts: unknown): string =>
  createHash('sha256').update(JSON.stringify(facts)).digest('base64url').slice(0, 16);

type Known = Pick<Overview, 'lanes' | 'workers' | 'pending'> & { heartbeats: Heartbeat[] };

/** Whatever a verdict rests on, and whatever moves a request. What only an API process has done is told by the next count. */
export const changesOf = ({ heartbeats, lanes, workers, pending }: Known): Changes => {
  const { requests, users, stuckUsers, deadLetters } = pending;
  const of = (pick: (heartbeat: Heartbeat) => unknown) => heartbeats.map((one) => [one.workerId, pick(one)]);
  const blocked = of(({ demand }) => demand?.blockedUsers);
  return {
    users: versionOf([
      of(({ moves }) => moves?.users),
      of(({ demand }) => demand?.waitingSince !== null),
      of(({ unresponsive }) => unresponsive),
      blocked,
      lanes.map(({ owner, busy }) => [owner, busy]),
      workers.map(({ state }) => state),
      [requests, users, stuckUsers],
    ]),
    deadLetters: versionOf([of(({ moves }) => moves?.deadLetters), blocked, deadLetters]),
  };
};

/** Without what says only how much time has passed. Clients count that themselves. */
export const overviewVersion = ({
  at: _at,
  oldestWaitMs: _ms,
  workers,
  pending,
  ...rest
}: Omit<Overview, 'version'>): string => {
  const { countedMsAgo: _age, countedAt: _countedAt, ...counts } = pending;
  const states = workers.map(({ heardMsAgo: _age, heardAt: _heardAt, ...worker }) => worker);
  return versionOf([rest, states, counts]);
};
