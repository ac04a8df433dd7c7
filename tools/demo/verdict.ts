/** What the demo checks: every guarantee about order, from the ledger alone. */
import { isDeepStrictEqual } from 'node:util';
import type { ShownEntry } from '../api-client.ts';

export type UserHistory = {
  username: string;
  /** What was sent, with the `seq` of its 202 answer. */
  sent: { seq: number; request: unknown }[];
  /** The whole ledger of the user. */
  entries: ShownEntry[];
  /** The state of the queue after `/disconnect`. */
  queue: string;
};

/** Without violations, the guarantee was kept. `isEcho`: each result should be the request. */
export type Verdict = {
  kept: boolean;
  isEcho: boolean;
  checks: { guarantee: string; violations: string[] }[];
  mostUsersAtOnce: number;
};

/** From claim to settlement, in ms since the epoch; NaN when the ledger has no such time. */
type Span = { username: string; seq: number; from: number; to: number };

/** Of the processor `echo` at least one result is the request. Of any other, results say nothing about the order. */
const seemsEcho = (users: UserHistory[]): boolean => {
  const settled = users.flatMap(({ sent, entries }) => {
    const bySeq = new Map(entries.map((entry) => [entry.seq, entry]));
    return sent.flatMap(({ seq, request }) => {
      const entry = bySeq.get(seq);
      return entry && isSettled(entry.status) ? [{ request, result: entry.result }] : [];
    });
  });
  return settled.length === 0 || settled.some(({ request, result }) => isDeepStrictEqual(request, result));
};

const isSettled = (status: string | undefined): boolean => status === 'done' || status === 'failed';

/** A blocked request waits for a person, one with a `retryAt` for its next attempt; the requests behind it wait with it. */
const heldFrom = ({ entries }: UserHistory): number => {
  const holds = entries.filter(({ status, retryAt }) => status === 'blocked' || (status === 'processing' && retryAt));
  return Math.min(...holds.map(({ seq }) => seq));
};

const isHeld = (user: UserHistory, { seq, status }: ShownEntry): boolean =>
  seq >= heldFrom(user) && ['blocked', 'processing', 'queued'].includes(status);

const heldOf = (user: UserHistory): ShownEntry[] => user.entries.filter((entry) => isHeld(user, entry));

const notSettled = (user: UserHistory): string[] => {
  const { sent, entries } = user;
  const statuses = new Map(entries.map(({ seq, status }) => [seq, status]));
  const held = new Set(heldOf(user).map(({ seq }) => seq));
  return sent
    .filter(({ seq }) => !isSettled(statuses.get(seq)) && !held.has(seq))
    .map(({ seq }) => `request ${seq} was accepted and is ${statuses.get(seq) ?? 'not in the ledger'}`);
};

const notDone = ({ sent, entries }: UserHistory): string[] => {
  const statuses = new Map(entries.map(({ seq, status }) => [seq, status]));
  return sent
    .filter(({ seq }) => statuses.get(seq) !== 'done')
    .map(({ seq }) => `request ${seq} was accepted and is ${statuses.get(seq) ?? 'not in the ledger'}`);
};

/** An `abandoned` entry is the ticket of a call that failed: it has a place in the order, but no client got its `seq`. */
const wrongSeqs = ({ sent, entries }: UserHistory): string[] => {
  const seqs = entries.map(({ seq }) => seq).sort((a, b) => a - b);
  const place = seqs.findIndex((seq, index) => seq !== index + 1);
  const accepted = new Set(sent.map(({ seq }) => seq));
  const unknown = entries.filter(({ seq, status }) => !accepted.has(seq) && status !== 'abandoned');
  return [
    ...(place < 0 ? [] : [`the ledger has ${seqs[place]} where ${place + 1} should be`]),
    ...(accepted.size === sent.length ? [] : [`${sent.length} requests were accepted with ${accepted.size} seqs`]),
    ...unknown.map(({ seq }) => `request ${seq} is in the ledger, but nobody sent it`),
  ];
};

const wrongResults = ({ sent, entries }: UserHistory): string[] => {
  const results = new Map(entries.map(({ seq, result }) => [seq, result]));
  return sent
    .filter(({ seq, request }) => results.has(seq) && !isDeepStrictEqual(results.get(seq), request))
    .map(({ seq, request }) => {
      const result = JSON.stringify(results.get(seq));
      return `request ${seq} was ${JSON.stringify(request)}, its result is ${result}`;
    });
};

const spansOf = ({ username, entries }: UserHistory): Span[] =>
  entries
    .filter(({ status, startedAt, settledAt }) => status === 'done' || (startedAt && settledAt))
    .map(({ seq, startedAt = '', settledAt = '' }) => ({
      ...{ username, seq, from: Date.parse(startedAt), to: Date.parse(settledAt) },
    }))
    .sort((a, b) => a.seq - b.seq);

/** A request may start in the millisecond in which the previous one was settled. */
const outOfOrder = (user: UserHistory): string[] =>
  spansOf(user).flatMap(({ seq, from, to }, index, spans) => {
    const previous = spans[index - 1];
    const isEarly = previous && from < previous.to;
    return [
      ...(to >= from ? [] : [`request ${seq} was not settled after its start`]),
      ...(isEarly ? [`request ${seq} started ${previous.to - from} ms before ${previous.seq} was settled`] : []),
    ];
  });

/** The most users that ever had a run at the same time, and all users that ever ran together with another. */
const overlapsOf = (users: UserHistory[]): { most: number; together: Set<string> } => {
  // In the order of time. In the same millisecond, ends come before starts.
  const edges = users
    .flatMap(spansOf)
    .filter(({ from, to }) => to > from)
    .flatMap(({ username, from, to }) => [
      { username, at: from, change: 1 },
      { username, at: to, change: -1 },
    ])
    .sort((a, b) => a.at - b.at || a.change - b.change);
  const running = new Map<string, number>();
  const together = new Set<string>();
  let most = 0;
  for (const { username, change } of edges) {
    const runs = (running.get(username) ?? 0) + change;
    if (runs > 0) running.set(username, runs);
    else running.delete(username);
    most = Math.max(most, running.size);
    if (running.size > 1) for (const one of running.keys()) together.add(one);
  }
  return { most, together };
};

/** Checks what happened. Every violation names the user and the request. */
export const judge = (users: UserHistory[]): Verdict => {
  const { most, together } = overlapsOf(users);
  const violations = (find: (user: UserHistory) => string[]): string[] =>
    users.flatMap((user) => find(user).map((violation) => `${user.username}: ${violation}`));
  const alone = ({ username }: UserHistory): string[] => (together.has(username) ? [] : ['always ran alone']);
  const mayStay = (user: UserHistory): boolean => !isEcho && heldOf(user).length > 0;
  const open = (user: UserHistory): string[] =>
    user.queue === 'closed' || mayStay(user) ? [] : [`the queue is ${user.queue}`];
  const accepted = users.reduce((sum, { sent }) => sum + sent.length, 0);
  const isEcho = seemsEcho(users);
  const all = (find: (user: UserHistory) => string[]): string[] =>
    accepted > 0 ? violations(find) : ['no request was accepted'];
  const found: [guarantee: string, violations: string[]][] = [
    isEcho
      ? ['every accepted request is done', all(notDone)]
      : ['every accepted request is settled: done or failed', all(notSettled)],
    ['no seq is missing, and no request is there that nobody sent', violations(wrongSeqs)],
    ['each user: in the order of seq, one at a time', violations(outOfOrder)],
    ['every queue ended when its user disconnected', violations(open)],
    ...(isEcho
      ? ([
          ['every result is what was sent', violations(wrongResults)],
          [`users ran side by side (up to ${most} at once)`, violations(alone)],
        ] satisfies [string, string[]][])
      : []),
  ];
  const checks = found.map(([guarantee, violations]) => ({ guarantee, violations }));
  return { isEcho, kept: checks.every(({ violations }) => violations.length === 0), checks, mostUsersAtOnce: most };
};

const countsOf = (entries: ShownEntry[]): string => {
  const count = (status: string) => entries.filter((entry) => entry.status === status).length;
  return `Done: ${count('done')}, failed: ${count('failed')}`;
};

/** More would hide the other guarantees. */
const violationsShown = 5;

/** @param seconds from the first request to the last settlement. */
export const describeVerdict = (users: UserHistory[], { kept, isEcho, checks }: Verdict, seconds: number): string => {
  const entries = users.flatMap(({ entries }) => entries);
  const accepted = users.reduce((sum, { sent }) => sum + sent.length, 0);
  const held = users.flatMap(heldOf).length;
  const again = entries.filter(({ attempts = 0 }) => attempts > 1).length;
  return [
    ...checks.flatMap(({ guarantee, violations }) => [
      `  ${violations.length === 0 ? '✔' : '✘'} ${guarantee}`,
      ...violations.slice(0, violationsShown).map((violation) => `      ${violation}`),
      ...(violations.length > violationsShown ? [`      and ${violations.length - violationsShown} more`] : []),
    ]),
    ...(isEcho
      ? []
      : [`\nThe processor is not echo: what it makes of the requests is not judged. ${countsOf(entries)}.`]),
    ...(isEcho || held === 0
      ? []
      : [`Not judged: ${held} requests that are blocked, wait for their next attempt, or wait behind such a request.`]),
    `\n${accepted} requests of ${users.length} users in ${seconds.toFixed(1)} s; ${again} needed more than one attempt.`,
    kept ? 'Every guarantee was kept.' : 'NOT every guarantee was kept.',
  ].join('\n');
};
