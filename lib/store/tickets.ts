/** Tickets: the atomic update that checks a user's limits, opens the user queue and gives out the next `seq`. */
import type { Clock, TicketDemand, UserQueueStore } from '../ports.ts';
import { permanentSession } from '../references.ts';
import { sharePromise } from '../shared-promise.ts';
import type { Ticket, TicketRefusal } from '../types.ts';
import type { Execute } from './connection.ts';
import type { UniqueIndex } from './index-guard.ts';
import type { UserQueueDocument } from './models.ts';
import { native } from './native.ts';
import { ticketRateOf } from './rate.ts';
import { createTogether } from './sessions.ts';
import type { TicketAsk } from './ticket-groups.ts';
import { createTicketTaker, type TicketServer } from './ticket-taker.ts';
import { alike, ticketUpdate } from './ticket-update.ts';
import { refusedIn } from './unavailable.ts';
import { liveSession } from './user-queue-documents.ts';

const unlimited: TicketDemand = {
  bytes: 0,
  maxPending: Number.MAX_SAFE_INTEGER,
  maxPendingBytes: Number.MAX_SAFE_INTEGER,
};

/** So that no ticket is taken for a request that could not be recorded. */
const needed: UniqueIndex = 'requests.userId_1_key_1';

const projection = {
  lane: 1,
  accepted: 1,
  settled: 1,
  closedThrough: 1,
  queueRefused: 1,
  acceptedBytes: 1,
  settledBytes: 1,
  countedSettled: 1,
  countedBytes: 1,
  rateAt: 1,
  refusal: 1,
  countDue: 1,
} as const;

const toTicket = (after: UserQueueDocument, count = 1): Ticket => {
  const { lane, accepted: seq, settled, closedThrough, queueRefused, acceptedBytes = 0 } = after;
  const wasOpen = seq - count !== closedThrough && !queueRefused;
  return { first: seq - count + 1, seq, lane, wasOpen, settled, bytesThrough: acceptedBytes };
};

const toRefusal = (after: UserQueueDocument, refused: TicketRefusal['refused'], waitMs: number): TicketRefusal => {
  const { accepted, settled, acceptedBytes = 0, settledBytes = 0, countedSettled, countedBytes } = after;
  return {
    refused,
    pending: accepted - Math.max(settled, countedSettled ?? 0),
    pendingBytes: acceptedBytes - Math.max(settledBytes, countedBytes ?? 0),
    waitMs,
    countDue: after.countDue ?? false,
    settled,
    settledBytes,
  };
};

const filterOf = ({ userId, sessionId, now }: TicketAsk) => ({
  _id: userId,
  ...(sessionId === undefined ? {} : { sessions: liveSession(now, sessionId) }),
});

/** A session id is one user's alone: no user of the list has a session of another. */
const filterOfAll = (asks: TicketAsk[]) => {
  const sessionIds = asks.flatMap(({ sessionId }) => sessionId ?? []);
  const now = new Date(Math.max(...asks.map((ask) => ask.now.getTime())));
  return {
    _id: { $in: asks.map(({ userId }) => userId) },
    ...(sessionIds.length > 0 ? { sessions: liveSession(now, { $in: sessionIds }) } : {}),
  };
};

const ticketServer = (execute: Execute, clock: Pick<Clock, 'now'>): TicketServer => {
  const tryBulk = sharePromise(() =>
    execute(async ({ userQueues }) => {
      const nobody = { updateOne: { filter: { _id: '' }, update: [{ $set: { refusal: '' } }] } };
      try {
        await native(userQueues).bulkWrite([nobody], { ordered: false });
        return true;
      } catch (error) {
        if (refusedIn(error).length > 0) return false;
        throw error;
      }
    }),
  );

  return {
    /**
     * Leaves `updatedAt` alone: that is the owner's, and a ticket that changed it would hide an owner that is stuck. The document after
     * the update says what was decided, and whether the user queue was open: the stand-ins do not read the one before it atomically.
     */
    takeOne: (ask) =>
      execute(async ({ userQueues }) => {
        const { demand, now } = ask;
        const options = { returnDocument: 'after', projection } as const;
        const after = await native(userQueues).findOneAndUpdate(filterOf(ask), ticketUpdate([ask]), options);
        if (!after?.refusal) return after ? toTicket(after, demand.count) : undefined;
        return toRefusal(after, after.refusal, (after.rateAt ?? 0) - ticketRateOf(demand, now.getTime()).limitMs);
      }, needed),

    takeAll: (asks, mark) =>
      execute(async ({ userQueues }) => {
        const updates = alike(asks).map((some) => ({
          updateMany: { filter: filterOfAll(some), update: ticketUpdate(some, mark) },
        }));
        await native(userQueues)
          .updateTwice(updates)
          .catch((error) => {
            // The others were made.
            if (refusedIn(error).length === 0) throw error;
          });
      }, needed),

    readOutcomes: (userIds, { by, at }) =>
      execute(async ({ userQueues }) => {
        const fields = { lane: 1, settled: 1, tickets: 1 } as const;
        const found = await native(userQueues).find({ _id: { $in: userIds } }, { projection: fields });
        return found.map(({ _id: userId, lane, settled, tickets = [] }) => {
          // The last one: a server that made an update twice has written two.
          const outcome = tickets.findLast((one) => one.by === by && one.at === at);
          return { userId, lane, settled, outcome };
        });
      }),

    takesBulks: () => tryBulk.get(),
    now: () => clock.now().getTime(),
  };
};

export const ticketStore = (
  execute: Execute,
  clock: Pick<Clock, 'now'>,
): Pick<UserQueueStore, 'takeTicket' | 'takeTicketByReference' | 'noteCounted'> => {
  const take = createTicketTaker(ticketServer(execute, clock));
  const create = createTogether(execute);
  const sets = [permanentSession];

  return {
    takeTicket: (userId, sessionId, now, demand = unlimited) => take({ userId, sessionId, now, demand }),

    takeTicketByReference: async ({ userId, user, lane }, now, demand = unlimited) => {
      const ask = { userId, sets, now, demand };
      const taken = await take(ask);
      if (taken) return taken;
      // Not an upsert: of several at once, the stand-ins may answer one with null.
      await create({ userId, user, lane, sessions: [], updatedAt: new Date(0) });
      const ticket = await take(ask);
      if (!ticket) throw new Error(`The user queue ${userId} was created and is not there.`);
      return ticket;
    },

    noteCounted: async (userId, { requests, bytes }, countAgainAt) => {
      const counted = { countedSettled: requests, countedBytes: bytes };
      const update = { $max: counted, $set: { countAgainAt: countAgainAt.getTime() } };
      await execute(({ userQueues }) => native(userQueues).updateOne({ _id: userId }, update));
    },
  };
};
