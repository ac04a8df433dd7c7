/** What the demo promises to have checked: every promise about order, read from the ledger and nothing else. */
import { isDeepStrictEqual } from 'node:util';

/** A ledger entry as `GET /requests` shows it. */
export type ShownEntry = {
  seq: number;
  status: string;
  result?: unknown;
  attempts?: number;
  startedAt?: string;
  settledAt?: string;
};

export type UserHistory = {
  username: string;
  /** What was sent, with the `seq` that its 202 gave. */
  sent: { seq: number; request: unknown }[];
  /** The whole ledger of the user. */
  entries: ShownEntry[];
  /** What `/disconnect` said. */
  queue: string;
};

/** `faults` is empty when the promise was kept. */
export type Check = { promise: string; faults: string[] };

export type Verdict = { kept: boolean; checks: Check[]; mostUsersAtOnce: number };

/** From claim to settlement, in ms since the epoch. */
type Span = { username: string; seq: number; from: number; to: number };

const bySeq = (a: { seq: number }, b: { seq: number }): number => a.seq - b.seq;

const faultsOf = (users: UserHistory[], find: (user: UserHistory) => string[]): string[] =>
  users.flatMap((user) => find(user).map((fault) => `${user.username}: ${fault}`));

const notDone = ({ sent, entries }: UserHistory): string[] => {
  const statuses = new Map(entries.map(({ seq, status }) => [seq, status]));
  return sent
    .filter(({ seq }) => statuses.get(seq) !== 'done')
    .map(({ seq }) => `request ${seq} was accepted and is ${statuses.get(seq) ?? 'not in the ledger'}`);
};

/** An `abandoned` one is the ticket of a call that died: it keeps its place, and nobody was promised anything. */
const uncounted = ({ sent, entries }: UserHistory): string[] => {
  const seqs = entries.map(({ seq }) => seq).sort((a, b) => a - b);
  const place = seqs.findIndex((seq, index) => seq !== index + 1);
  const promised = new Set(sent.map(({ seq }) => seq));
  const unknown = entries.filter(({ seq, status }) => !promised.has(seq) && status !== 'abandoned');
  return [
    ...(place < 0 ? [] : [`the ledger has ${seqs[place]} where ${place + 1} should be`]),
    ...(promised.size === sent.length ? [] : [`${sent.length} requests were accepted with ${promised.size} seqs`]),
    ...unknown.map(({ seq }) => `request ${seq} is in the ledger, and nobody sent it`),
  ];
};

const otherResults = ({ sent, entries }: UserHistory): string[] => {
  const results = new Map(entries.map(({ seq, result }) => [seq, result]));
  return sent
    .filter(({ seq, request }) => results.has(seq) && !isDeepStrictEqual(results.get(seq), request))
    .map(({ seq, request }) => {
      const result = JSON.stringify(results.get(seq));
      return `request ${seq} was ${JSON.stringify(request)}, its result ${result}`;
    });
};

const spansOf = ({ username, entries }: UserHistory): Span[] =>
  entries
    .filter(({ startedAt, settledAt }) => startedAt !== undefined && settledAt !== undefined)
    .map(({ seq, startedAt, settledAt }) => ({
      username,
      seq,
      from: Date.parse(startedAt ?? ''),
      to: Date.parse(settledAt ?? ''),
    }))
    .sort(bySeq);

const untimed = ({ entries }: UserHistory): string[] =>
  entries
    .filter(({ status, startedAt, settledAt }) => status === 'done' && (!startedAt || !settledAt))
    .map(({ seq }) => `request ${seq} is done without the times of its run`);

/** A request may start in the millisecond in which the one before was settled. */
const outOfOrder = (user: UserHistory): string[] => {
  const spans = spansOf(user);
  const backwards = spans
    .filter(({ from, to }) => !(to >= from))
    .map(({ seq }) => `request ${seq} was settled before it started`);
  const early = spans.flatMap((span, index) => {
    const before = spans[index - 1];
    return before && span.from < before.to
      ? [`request ${span.seq} started ${before.to - span.from} ms before ${before.seq} was settled`]
      : [];
  });
  return [...untimed(user), ...backwards, ...early];
};

/** Starts and ends in the order of time; what ends in a millisecond goes before what starts in it. */
const edgesOf = (spans: Span[]) =>
  spans
    .filter(({ from, to }) => to > from)
    .flatMap((span) => [
      { at: span.from, span, starts: true },
      { at: span.to, span, starts: false },
    ])
    .sort((a, b) => a.at - b.at || Number(a.starts) - Number(b.starts));

/** How many users had a run at the same time, at most, and who ever had one together with somebody else. */
const overlapsOf = (users: UserHistory[]): { most: number; together: Set<string> } => {
  const running = new Map<string, number>();
  const together = new Set<string>();
  let most = 0;
  for (const { span, starts } of edgesOf(users.flatMap(spansOf))) {
    const runs = (running.get(span.username) ?? 0) + (starts ? 1 : -1);
    if (runs > 0) running.set(span.username, runs);
    else running.delete(span.username);
    most = Math.max(most, running.size);
    if (running.size > 1) for (const username of running.keys()) together.add(username);
  }
  return { most, together };
};

const alone = (users: UserHistory[], together: Set<string>): string[] =>
  users.length < 2
    ? ['there is only one user']
    : users.filter(({ username }) => !together.has(username)).map(({ username }) => `${username} always ran alone`);

/** Judges what happened. Every fault names the user and the request. */
export const judge = (users: UserHistory[]): Verdict => {
  const { most, together } = overlapsOf(users);
  const checks: Check[] = [
    { promise: 'every accepted request is done', faults: faultsOf(users, notDone) },
    { promise: 'no seq is missing, and none is there that nobody sent', faults: faultsOf(users, uncounted) },
    { promise: 'every result is what was sent', faults: faultsOf(users, otherResults) },
    { promise: 'each user: in the order of seq, one at a time', faults: faultsOf(users, outOfOrder) },
    { promise: `users ran side by side (up to ${most} at once)`, faults: alone(users, together) },
    {
      promise: 'every queue ended when its user disconnected',
      faults: faultsOf(users, ({ queue }) => (queue === 'closed' ? [] : [`the queue is ${queue}`])),
    },
  ];
  const sentNothing = users.every(({ sent }) => sent.length === 0);
  if (sentNothing) checks.unshift({ promise: 'requests were accepted', faults: ['none was'] });
  return { kept: checks.every(({ faults }) => faults.length === 0), checks, mostUsersAtOnce: most };
};
