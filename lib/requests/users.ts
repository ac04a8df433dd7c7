/** Users as an operator looks for them: who waits, for how long, and why. */
import type { Deps } from '../deps.ts';
import { firstPending } from '../lanes/stalled-users.ts';
import { lastProgress } from '../lanes/stuck-users.ts';
import type { Heartbeat, UserCursor, UserPageQuery } from '../ports.ts';
import { isLiveSession } from '../sessions.ts';
import type { EntryHead, UserQueue } from '../types.ts';
import { userNames } from './find-user.ts';
import { currentHeartbeats } from './heartbeats.ts';
import { describeQueue, type QueueState } from './look-up.ts';
import { headWithoutEntry, ownerOf, type Verdict, type VerdictCode, verdictOf } from './verdict.ts';

export type UserQuery = Omit<UserPageQuery, 'limit'> & { limit: number; verdicts?: readonly VerdictCode[] };

/** `waitingMs`: how long nothing has moved; absent when nothing is pending. `running`: its oldest request, while that runs. */
export type ListedUser = {
  userId: string;
  user: string | undefined;
  lane: number;
  state: UserQueue['state'];
  pending: number;
  waitingMs?: number;
  running?: number;
  verdict: Verdict;
};

/** `next`: where to go on; absent at the end. */
export type UserList = { users: ListedUser[]; next?: UserCursor };

export type UsersDeps = Pick<Deps, 'userQueues' | 'ledger' | 'workers' | 'accounts' | 'clock'>;

/** Users that one query reads. The first one reads fewer when few are wanted: most of them are, without a filter by verdict. */
const pageSize = 200;
const firstPageSize = ({ limit, verdicts }: UserQuery): number => (verdicts ? pageSize : Math.min(pageSize, 4 * limit));
/** A call looks at no more users than that: whoever filters may have to call again. */
const examinedAtMost = 1_000;

const isRunning = (head: Pick<EntryHead, 'status' | 'retryAt'>): boolean =>
  head.status === 'processing' && head.retryAt === undefined;

/** The users of a page, each with its verdict. A few queries, however many users. */
const judge = async (page: UserQueue[], signs: Heartbeat[], { ledger, clock }: UsersDeps): Promise<ListedUser[]> => {
  const now = clock.now();
  const firsts = await firstPending(page, ledger);
  return page.map((queue) => {
    const { userId, user, lane, state, accepted, updatedAt } = queue;
    const first = firsts.get(userId) ?? 'none';
    const head = first === 'none' ? undefined : first === 'unknown' ? headWithoutEntry(queue) : first;
    const about = head && 'userId' in head ? head : undefined;
    const since = head && (lastProgress({ updatedAt }, about, now) ?? updatedAt);
    return {
      ...{ userId, user, lane, state },
      pending: head ? accepted - head.seq + 1 : 0,
      waitingMs: since && Math.max(0, now.getTime() - since.getTime()),
      running: about && isRunning(about) ? about.seq : undefined,
      verdict: verdictOf(queue, head, { signs, now }),
    };
  });
};

const isWanted = ({ verdict }: ListedUser, { show, verdicts }: UserQuery): boolean =>
  verdicts ? verdicts.includes(verdict.code) : show === 'all' || verdict.code !== 'idle';

const cursorOf = ({ userId, user, updatedAt }: UserQueue): UserCursor => ({ userId, user, updatedAt });

/** Accounts that have not logged in since an older version have no name in their user queue. */
const named = async (users: ListedUser[], deps: UsersDeps): Promise<ListedUser[]> => {
  const nameless = users.filter(({ user }) => user === undefined).map(({ userId }) => userId);
  const names = nameless.length > 0 ? await userNames(nameless, deps) : new Map<string, string>();
  return users.map((one) => ({ ...one, user: one.user ?? names.get(one.userId) }));
};

/** A page of users. Its cost is bounded by the page: at most 1,000 users are looked at, and `next` may be set on an empty page. */
export const listUsers = async (query: UserQuery, deps: UsersDeps): Promise<UserList> => {
  const { verdicts: _, limit, ...where } = query;
  const signs = await currentHeartbeats(deps);
  const users: ListedUser[] = [];
  let { after } = where;
  let size = firstPageSize(query);
  for (let examined = 0; examined < examinedAtMost; ) {
    const page = await deps.userQueues.page({ ...where, after, limit: size });
    for (const [index, one] of (await judge(page, signs, deps)).entries()) {
      if (!isWanted(one, query)) continue;
      users.push(one);
      if (users.length === limit) return { users: await named(users, deps), next: cursorOf(page[index] as UserQueue) };
    }
    const last = page.at(-1);
    if (!last || page.length < size) return { users: await named(users, deps) };
    after = cursorOf(last);
    examined += size;
    size = Math.min(pageSize, examinedAtMost - examined);
  }
  return { users: await named(users, deps), next: after };
};

/**
 * `owner`: the worker that says that it owns the lane. `running`: what runs, since when, and under which token. `sessions`: the live ones.
 * `fencingToken`: of the last run of the oldest pending request, also while that is blocked or waits; absent before its first run.
 */
export type UserState = QueueState & {
  userId: string;
  user: string | undefined;
  sessions: number;
  owner?: string;
  fencingToken?: number;
  running?: { seq: number; fencingToken?: number; startedAt?: Date };
};

/** All about one user that fits into a few lines. */
export const describeUser = async (queue: UserQueue, deps: UsersDeps): Promise<UserState> => {
  const [{ head, ...state }, signs, names] = await Promise.all([
    describeQueue(queue, deps),
    currentHeartbeats(deps),
    queue.user === undefined ? userNames([queue.userId], deps) : new Map([[queue.userId, queue.user]]),
  ]);
  const now = deps.clock.now();
  const runs = head && isRunning(head);
  return {
    userId: queue.userId,
    user: names.get(queue.userId),
    ...state,
    sessions: queue.sessions.filter(({ id }) => isLiveSession(queue, now, id)).length,
    owner: ownerOf(queue.lane, signs, now)?.workerId,
    fencingToken: head?.token,
    running: runs ? { seq: head.seq, fencingToken: head.token, startedAt: head.startedAt } : undefined,
  };
};
