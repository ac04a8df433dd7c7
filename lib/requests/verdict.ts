/** Why a user waits, in one code and one sentence: the first thing that an operator asks about a user, and the user about itself. */
import { isAhead } from '../database-clock.ts';
import { heartbeatEveryMs, heartbeatValidMs } from '../heartbeat-times.ts';
import type { Heartbeat } from '../ports.ts';
import type { EntryHead, UserQueue } from '../types.ts';

/**
 * - `idle`: nothing is pending.
 * - `draining`: nothing is pending, and the user queue is being closed.
 * - `running`: the oldest request runs.
 * - `next`: the oldest request is about to run.
 * - `waiting-for-slot`: the owner has no slot free for it.
 * - `between-attempts`: its last attempt failed, and the next one starts at `until`.
 * - `blocked`: a person must retry or skip it.
 * - `unresponsive-run`: it runs on against its signal.
 * - `no-worker`: no worker sends heartbeats.
 * - `broker-away`: RabbitMQ does not answer the workers, or all of them stop.
 * - `worker-hung`: the worker that owned the lane a moment ago sends no heartbeats, and no other has acquired the lane.
 * - `lane-without-owner`: no worker reports that it owns the lane.
 */
export const verdictCodes = [
  'idle',
  'draining',
  'running',
  'next',
  'waiting-for-slot',
  'between-attempts',
  'blocked',
  'unresponsive-run',
  'no-worker',
  'broker-away',
  'worker-hung',
  'lane-without-owner',
] as const;
export type VerdictCode = (typeof verdictCodes)[number];

/**
 * `seq` is the oldest pending request. `sinceMs`: how long it has been so; absent for a
 * user that nobody has named before. `until`: when the next attempt starts. `stale`: the verdict rests
 * on a heartbeat that is late, and may be out of date.
 */
export type Verdict = {
  code: VerdictCode;
  text: string;
  seq?: number;
  sinceMs?: number;
  until?: Date;
  stale?: true;
};

/** What a verdict needs to know about a worker. */
export type Sign = Pick<Heartbeat, 'lanes' | 'unresponsive' | 'away' | 'gone' | 'demand' | 'at'>;

/** An older heartbeat says nothing: lanes have moved since. */
export const forgottenMs = 60_000;
/** One heartbeat has been missed. */
const lateMs = 2 * heartbeatEveryMs;

/** A heartbeat that is ahead by more than the tolerance was sent before MongoDB's clock was set back. */
export const ageOf = ({ at }: Pick<Sign, 'at'>, now: Date): number =>
  isAhead(at, now) ? forgottenMs : now.getTime() - at.getTime();

export const isCurrent = (sign: Pick<Sign, 'gone' | 'at'>, now: Date): boolean =>
  !sign.gone && ageOf(sign, now) <= heartbeatValidMs;

/** The worker that says that it owns the lane: the one that was heard of last. */
export const ownerOf = <Of extends Pick<Sign, 'lanes' | 'gone' | 'at'>>(
  lane: number,
  signs: Of[],
  now: Date,
): Of | undefined => {
  const claims = signs.filter(({ lanes, ...sign }) => lanes.includes(lane) && ageOf(sign, now) < forgottenMs);
  const newestFirst = (one: Of, other: Of) =>
    Number(isCurrent(other, now)) - Number(isCurrent(one, now)) || ageOf(one, now) - ageOf(other, now);
  return claims.sort(newestFirst)[0];
};

/** What keeps the lane's requests from being worked off; `undefined` while a worker that owns it sends heartbeats. */
export const laneProblem = (
  lane: number,
  signs: Sign[],
  now: Date,
): Extract<VerdictCode, 'no-worker' | 'broker-away' | 'worker-hung' | 'lane-without-owner'> | undefined => {
  const owner = ownerOf(lane, signs, now);
  if (owner && isCurrent(owner, now)) return undefined;
  const current = signs.filter((sign) => isCurrent(sign, now));
  if (current.length > 0 && current.every(({ away }) => away)) return 'broker-away';
  if (owner) return 'worker-hung';
  return current.length > 0 ? 'lane-without-owner' : 'no-worker';
};

export type Judged = Pick<UserQueue, 'userId' | 'lane' | 'state' | 'updatedAt'>;
type Head = Pick<EntryHead, 'seq' | 'status' | 'retryAt' | 'acceptedAt' | 'startedAt' | 'deadLetter'>;

/** A ticket that the ledger does not have yet, or never will: its function is between the two, or died there. All behind it waits. */
export const headWithoutEntry = ({ settled, updatedAt }: Pick<UserQueue, 'settled' | 'updatedAt'>): Head => ({
  seq: settled + 1,
  status: 'queued',
  acceptedAt: updatedAt,
});

const texts: Record<VerdictCode, (seq: number) => string> = {
  idle: () => 'Nothing is pending.',
  draining: () => 'Nothing is pending, and the queue is being closed.',
  running: (seq) => `Request ${seq} runs.`,
  next: (seq) => `Request ${seq} is next.`,
  'waiting-for-slot': (seq) => `Request ${seq} is next, and waits until its worker has a slot free.`,
  'between-attempts': (seq) => `Request ${seq} failed, and waits for its next attempt.`,
  blocked: (seq) => `Waits because request ${seq} is blocked: somebody must retry or skip it.`,
  'unresponsive-run': (seq) => `Request ${seq} runs on although it was told to stop.`,
  'no-worker': (seq) => `Request ${seq} waits because no worker is running.`,
  'broker-away': (seq) => `Request ${seq} waits because RabbitMQ does not answer the workers, or they all stop.`,
  'worker-hung': (seq) => `Request ${seq} waits because its worker does not report, and no other has taken over yet.`,
  'lane-without-owner': (seq) => `Request ${seq} waits because no worker owns its lane.`,
};

const codeOf = (queue: Judged, head: Head, signs: Sign[], now: Date): VerdictCode => {
  if (head.status === 'blocked') return 'blocked';
  const problem = laneProblem(queue.lane, signs, now);
  const runs = head.status === 'processing' && !head.retryAt;
  const isUnresponsive = (sign: Sign) => isCurrent(sign, now) && sign.unresponsive.includes(queue.userId);
  if (runs && signs.some(isUnresponsive)) return 'unresponsive-run';
  if (problem) return problem;
  if (runs) return 'running';
  if (head.retryAt) return 'between-attempts';
  const waitingSince = ownerOf(queue.lane, signs, now)?.demand?.waitingSince;
  return waitingSince && head.acceptedAt >= waitingSince ? 'waiting-for-slot' : 'next';
};

/** Since when it has been so, as far as the stored times say. */
const sinceOf = (code: VerdictCode, queue: Judged, head: Head | undefined): Date | undefined => {
  if (!head) return queue.updatedAt.getTime() === 0 ? undefined : queue.updatedAt;
  if (code === 'blocked') return head.deadLetter?.at ?? head.acceptedAt;
  const isOfRun = code === 'running' || code === 'unresponsive-run' || code === 'between-attempts';
  return (isOfRun ? head.startedAt : undefined) ?? head.acceptedAt;
};

/**
 * The same facts give the same verdict.
 *
 * @param head the oldest pending request; `undefined` when nothing is pending.
 */
export const verdictOf = (
  queue: Judged,
  head: Head | undefined,
  { signs, now }: { signs: Sign[]; now: Date },
): Verdict => {
  const code = head ? codeOf(queue, head, signs, now) : queue.state === 'closing' ? 'draining' : 'idle';
  const owner = ownerOf(queue.lane, signs, now);
  const isLate = head !== undefined && code !== 'blocked' && owner !== undefined && ageOf(owner, now) > lateMs;
  const since = sinceOf(code, queue, head);
  return {
    code,
    text: texts[code](head?.seq ?? 0),
    seq: head?.seq,
    sinceMs: since && Math.max(0, now.getTime() - since.getTime()),
    until: code === 'between-attempts' ? head?.retryAt : undefined,
    stale: isLate ? true : undefined,
  };
};
