/** What is wrong, in the order in which somebody should look at it. Nothing is listed while everything works. */
import type { Health } from '../health.ts';
import type { Heartbeat } from '../ports.ts';
import { ageOf, forgottenMs, isCurrent } from './verdict.ts';

export const problemKinds = [
  'rabbitmq-away',
  'no-worker',
  'broker-away',
  'lanes-without-owner',
  'workers-silent',
  'unresponsive-runs',
  'blocked-users',
  'stuck-users',
  'dead-letters',
] as const;
export type ProblemKind = (typeof problemKinds)[number];

/** `count`: of what `text` names. `ids`: the lanes, workers or users that it is about, up to 20, where they are known. */
export type Problem = { code: ProblemKind; text: string; count?: number; ids?: (string | number)[] };

type Facts = {
  heartbeats: Heartbeat[];
  lanes: { lane: number; owner?: string }[];
  pending: { stuckUsers: number; deadLetters: number };
  servers: Pick<Health, 'rabbitmq'>;
  now: Date;
};

const maxIds = 20;

const some = (code: ProblemKind, count: number, one: string, many: string, ids?: (string | number)[]): Problem[] =>
  count === 0 ? [] : [{ code, text: count === 1 ? one : `${count} ${many}`, count, ids: ids?.slice(0, maxIds) }];

const always = (code: ProblemKind, isSo: boolean, text: string): Problem[] => (isSo ? [{ code, text }] : []);

export const findProblems = ({ heartbeats, lanes, pending, servers, now }: Facts): Problem[] => {
  const current = heartbeats.filter((one) => isCurrent(one, now));
  const allAway = current.length > 0 && current.every(({ away }) => away);
  const silent = heartbeats.filter((one) => !one.gone && !isCurrent(one, now) && ageOf(one, now) < forgottenMs);
  const unowned = current.length === 0 || allAway ? [] : lanes.filter(({ owner }) => owner === undefined);
  const unresponsive = current.flatMap((one) => one.unresponsive);
  const blocked = current.reduce((sum, { demand }) => sum + (demand?.blockedUsers ?? 0), 0);
  const { stuckUsers, deadLetters } = pending;
  return [
    ...always(
      'rabbitmq-away',
      !servers.rabbitmq.ok,
      'RabbitMQ does not answer the API: requests are accepted, and wait.',
    ),
    ...always('no-worker', current.length === 0, 'No worker is running: requests are accepted, and wait.'),
    ...always('broker-away', allAway, 'RabbitMQ does not answer any worker, or all of them stop.'),
    ...some(
      'lanes-without-owner',
      unowned.length,
      'One lane has no owner: its users wait.',
      'lanes have no owner: their users wait.',
      unowned.map(({ lane }) => lane),
    ),
    ...some(
      'workers-silent',
      silent.length,
      'One worker does not report any more.',
      'workers do not report any more.',
      silent.map(({ workerId }) => workerId),
    ),
    ...some(
      'unresponsive-runs',
      unresponsive.length,
      'One run goes on although it was told to stop.',
      'runs go on although they were told to stop.',
      unresponsive,
    ),
    ...some(
      'blocked-users',
      blocked,
      'One user is blocked: somebody must decide.',
      'users are blocked: somebody must decide.',
    ),
    ...some('stuck-users', stuckUsers, 'One user makes no progress.', 'users make no progress.'),
    ...some('dead-letters', deadLetters, 'There is one dead letter.', 'dead letters wait for a decision.'),
  ];
};
