/** Short texts that differ when something has changed: for whoever shows the overview, or one of the lists that it is about. */
import { createHash } from 'node:crypto';
import type { Heartbeat } from '../ports.ts';
import type { Overview } from './overview.ts';
import type { ProblemKind } from './problems.ts';

/** `users` and `deadLetters`: of what `GET /users` and `GET /dead-letters` answer. */
export type Changes = { users: string; deadLetters: string };

const versionOf = (facts: unknown): string =>
  createHash('sha256').update(JSON.stringify(facts)).digest('base64url').slice(0, 16);

type Known = Pick<Overview, 'lanes' | 'workers' | 'pending' | 'problems'> & { heartbeats: Heartbeat[]; now: Date };

/** With one of these nobody tells what happens to some users. */
const blinding: ProblemKind[] = ['rabbitmq-away', 'no-worker', 'broker-away', 'lanes-without-owner', 'workers-silent'];
/** Then a change is assumed so often. */
const untoldMs = 5_000;

/** Whatever a verdict rests on, and whatever moves a request. What only an API process has done is told by the next count. */
export const changesOf = ({ heartbeats, lanes, workers, pending, problems, now }: Known): Changes => {
  const isBlind = problems.some(({ code }) => blinding.includes(code));
  const untold = isBlind && Math.floor(now.getTime() / untoldMs);
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
      [requests, users, stuckUsers, untold],
    ]),
    deadLetters: versionOf([of(({ moves }) => moves?.deadLetters), blocked, deadLetters, untold]),
  };
};

/** Without what says only how much time has passed. Clients count that themselves. */
export const overviewVersion = ({
  at: _at,
  oldestWaitMs: _ms,
  workers,
  pending,
  longestWaits,
  ...rest
}: Omit<Overview, 'version'>): string => {
  const { countedMsAgo: _age, countedAt: _countedAt, ...counts } = pending;
  const states = workers.map(({ heardMsAgo: _age, heardAt: _heardAt, ...worker }) => worker);
  const waits = longestWaits.users.map(({ waitingMs: _age, verdict: { sinceMs: _sinceMs, ...verdict }, ...user }) => [
    user,
    verdict,
  ]);
  return versionOf([rest, states, counts, waits]);
};
