/** Wraps the `Deps` of a simulated worker or function so that one step of the protocol is missing or wrong. */
import type { LaneDeps } from '../../lib/lanes/context.ts';
import type { LedgerChange } from '../../lib/ledger-change.ts';
import type { EntryId, LedgerEntry, Lent, UserQueue } from '../../lib/types.ts';
import type { Break, Site } from './breaks.ts';
import type { FunctionDeps } from './clients.ts';

/** Makes the entry look as if it waited for its next attempt. */
export const takeForWaiting = ({ database }: Site, { userId, seq }: EntryId): void => {
  const entry = database.entries.get(`${userId}:${seq}`);
  if (entry?.status === 'processing') entry.retryAt ??= new Date(0);
};

/** Believes that the newest ticket of the user is its own. */
export const takeLatestTicket = (deps: FunctionDeps, { database, step }: Site): FunctionDeps => ({
  ...deps,
  userQueues: {
    ...deps.userQueues,
    async takeTicket(userId, ...asked) {
      const ticket = await deps.userQueues.takeTicket(userId, ...asked);
      if (ticket?.seq === undefined) return ticket;
      const seq = await step('reads the user again', () => database.userQueues.get(userId)?.accepted ?? ticket.seq);
      return { ...ticket, seq, first: ticket.first + seq - ticket.seq };
    },
  },
});

/** Reads an entry in its back-off as it was when the back-off began. */
export const rememberBackOffs = (ledger: LaneDeps['ledger'], { database }: Site): LaneDeps['ledger'] => {
  const remembered = new Map<string, LedgerEntry>();
  const idOf = ({ userId, seq }: EntryId) => `${userId}:${seq}`;
  return {
    ...ledger,
    async commit(changes) {
      const results = await ledger.commit(changes);
      changes.forEach((change, index) => {
        const entry = database.entries.get(idOf(change));
        if (change.kind !== 'retry' || !results[index]?.applied || !entry) return;
        remembered.set(idOf(change), { ...structuredClone(entry), status: 'processing', retryAt: change.retryAt });
      });
      return results;
    },
    readWork: async (ids) => (await ledger.readWork(ids)).map((entry) => remembered.get(idOf(entry)) ?? entry),
  };
};

/** Reads user queues as if a request that is lent out were not, where its loan is over. */
export const hideLoans = (
  userQueues: LaneDeps['userQueues'],
  isOver: (lent: Lent) => boolean,
): LaneDeps['userQueues'] => {
  const hide = ({ lent, ...queue }: UserQueue): UserQueue => ({ ...queue, ...(lent && !isOver(lent) && { lent }) });
  return {
    ...userQueues,
    get: async (userIds) => (await userQueues.get(userIds)).map(hide),
    async *notClosed(lane) {
      for await (const page of userQueues.notClosed(lane)) yield page.map(hide);
    },
  };
};

/** Reads and claims requests as if nobody had ended their runs. */
export const forgetEnds = (ledger: LaneDeps['ledger'], { database }: Site): LaneDeps['ledger'] => ({
  ...ledger,
  readWork: async (ids) => (await ledger.readWork(ids)).map(({ endRequestedAt: _, ...entry }) => entry),
  async commit(changes) {
    for (const { kind, userId, seq } of changes) {
      if (kind === 'claim') delete database.entries.get(`${userId}:${seq}`)?.endRequestedAt;
    }
    return ledger.commit(changes);
  },
});

/** What an owner records about a request that an earlier owner has claimed. */
type TakeOver = Extract<LedgerChange, { kind: 'claim' | 'requeue' | 'give-up' }>;
type Instead =
  | { kind: 'requeue' }
  | Pick<Extract<TakeOver, { kind: 'give-up' }>, 'kind' | 'status' | 'error' | 'reason'>;

/** Takes a request over that is lent out: commits this change of it, and then reads it again. */
export const takeLentOver =
  (instead: Instead): Break['worker'] =>
  (deps, { database }) => {
    const isOfLent = (change: LedgerChange): change is TakeOver => {
      const { userId, seq, kind, token } = change;
      const lent = database.userQueues.get(userId)?.lent;
      const entry = database.entries.get(`${userId}:${seq}`);
      const isLent = lent?.seq === seq && entry?.status === 'processing' && entry.token === lent.token;
      return isLent && token > lent.token && ['claim', 'requeue', 'give-up'].includes(kind);
    };
    const takenOver = (change: TakeOver): LedgerChange => {
      const { userId, seq, token, at, interruptions, forgiven } = change;
      const attempt = change.kind === 'claim' ? change.attempt - 1 : change.attempt;
      return { userId, seq, token, at, interruptions, forgiven, attempt, ...instead };
    };
    const commit: LaneDeps['ledger']['commit'] = async (changes) => {
      const committed = changes.map((change) => (isOfLent(change) ? takenOver(change) : change));
      const results = await deps.ledger.commit(committed);
      return results.map((result, index) =>
        committed[index] === changes[index] ? result : { applied: false, entry: undefined },
      );
    };
    return { ...deps, userQueues: hideLoans(deps.userQueues, () => true), ledger: { ...deps.ledger, commit } };
  };

/** Changes the entry so that the change of what an earlier owner left passes every check. */
export const takeOverAnything =
  (commit: LaneDeps['ledger']['commit'], { database }: Site): LaneDeps['ledger']['commit'] =>
  (changes) => {
    for (const { kind, userId, seq, token, attempt } of changes) {
      const entry = database.entries.get(`${userId}:${seq}`);
      if (!entry || (kind !== 'requeue' && kind !== 'give-up')) continue;
      Object.assign(entry, { status: 'processing', token, attempts: attempt, retryAt: undefined });
    }
    return commit(changes);
  };

/** After a refused declare or consume, shows the owner once what it knew before of the user's requests. */
export const withoutRefreshAfterRefusal = (deps: LaneDeps): LaneDeps => {
  const known = new Map<string, number>();
  const refused = new Set<string>();
  const note = (queue: UserQueue): UserQueue => {
    const accepted = (refused.delete(queue.userId) && known.get(queue.userId)) || queue.accepted;
    known.set(queue.userId, accepted);
    return { ...queue, accepted };
  };
  return {
    ...deps,
    userQueues: {
      ...deps.userQueues,
      get: async (userIds) => (await deps.userQueues.get(userIds)).map(note),
      async *notClosed(lane) {
        for await (const page of deps.userQueues.notClosed(lane)) yield page.map(note);
      },
    },
    laneBroker: {
      ...deps.laneBroker,
      openUserQueues(events) {
        const queues = deps.laneBroker.openUserQueues(events);
        const noteRefusal = (userId: string) => (error: unknown) => {
          refused.add(userId);
          throw error;
        };
        return { ...queues, open: (userId) => queues.open(userId).catch(noteRefusal(userId)) };
      },
    },
  };
};

/** Closes every lane as soon as MongoDB has been silent for too long, whatever runs. */
export const closeLanesAtOnce = (deps: LaneDeps): LaneDeps => {
  const { clock, config, laneBroker, workers } = deps;
  const close = new Set<() => Promise<void>>();
  let answeredAt = clock.monotonicMs();
  return {
    ...deps,
    laneBroker: {
      ...laneBroker,
      async openLane(lane, events) {
        const channel = await laneBroker.openLane(lane, events);
        close.add(channel.close);
        return channel;
      },
    },
    workers: {
      ...workers,
      async report(heartbeat) {
        try {
          await workers.report(heartbeat);
          answeredAt = clock.monotonicMs();
        } catch (error) {
          if (clock.monotonicMs() - answeredAt > 2 * config.storeTimeoutMs)
            await Promise.all([...close].map((one) => one()));
          throw error;
        }
      },
    },
  };
};

/** Neither marks users nor shows what they have accepted since they were first read, until their queue was deleted and opened again. */
export const withoutMarkBeyondCap = (deps: LaneDeps): LaneDeps => {
  const known = new Map<string, number>();
  const beyond = new Set<string>();
  return {
    ...deps,
    userQueues: {
      ...deps.userQueues,
      noteQueueRefused: async (userId) => void beyond.add(userId),
      async get(userIds) {
        const queues = await deps.userQueues.get(userIds);
        return queues.map((queue) => {
          const accepted = (beyond.delete(queue.userId) && known.get(queue.userId)) || queue.accepted;
          known.set(queue.userId, accepted);
          return { ...queue, accepted };
        });
      },
      async *notClosed(lane) {
        for await (const page of deps.userQueues.notClosed(lane)) {
          for (const { userId, accepted } of page) known.set(userId, accepted);
          yield page;
        }
      },
    },
  };
};

/** Gives the entry the token of the change before the commit, so that the change passes every check of the token. */
export const forgetTokens =
  (commit: LaneDeps['ledger']['commit'], { database }: Site): LaneDeps['ledger']['commit'] =>
  (changes) => {
    for (const change of changes) {
      const entry = database.entries.get(`${change.userId}:${change.seq}`);
      if (!entry) continue;
      if (change.kind === 'claim') delete entry.token;
      else if (entry.status === 'processing') Object.assign(entry, { token: change.token, attempts: change.attempt });
    }
    return commit(changes);
  };

export const declareAndDelete = (deps: FunctionDeps, { broker, step }: Site): FunctionDeps => ({
  ...deps,
  publisher: {
    ...deps.publisher,
    async publishRequest(userId, message) {
      await step(`declare ${userId} in a function`, () => broker.declareUserQueue(userId));
      return deps.publisher.publishRequest(userId, message);
    },
  },
  userQueues: {
    ...deps.userQueues,
    async removeSession(userId, sessionId) {
      const queue = await deps.userQueues.removeSession(userId, sessionId);
      const isLast = queue?.sessions.length === 0;
      if (isLast) await step(`delete ${userId} in a function`, () => broker.deleteUserQueue(userId));
      return queue;
    },
  },
});

/** Publishes another request than the one that was recorded. */
export const publishAnother = (deps: FunctionDeps): FunctionDeps => ({
  ...deps,
  publisher: {
    ...deps.publisher,
    publishRequest: (userId, message) =>
      deps.publisher.publishRequest(userId, {
        ...message,
        body: JSON.stringify({ ...JSON.parse(message.body), ms: 1 }),
      }),
  },
});

export const believeMessages =
  (commit: LaneDeps['ledger']['commit']): LaneDeps['ledger']['commit'] =>
  (changes) =>
    commit(changes.map((change) => (change.kind === 'claim' ? { ...change, said: undefined } : change)));

export const withoutBackOffs =
  (read: LaneDeps['ledger']['readWork']): LaneDeps['ledger']['readWork'] =>
  async (ids) =>
    (await read(ids)).map(({ backOffMs: _backOffMs, ...entry }) => entry);

export const stuckSince =
  (stuck: LaneDeps['userQueues']['stuck']): LaneDeps['userQueues']['stuck'] =>
  ({ from }, ...rest) =>
    stuck({ from, to: new Date(8e15) }, ...rest);
