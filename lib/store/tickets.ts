/** Tickets: the atomic update that checks a user's limits, opens the user queue and gives out the next `seq`. */
import type { TicketDemand, UserQueueStore } from '../ports.ts';
import { permanentSession } from '../references.ts';
import type { Session, Ticket, TicketRefusal } from '../types.ts';
import type { Execute } from './connection.ts';
import { native, type UserQueueDocument } from './models.ts';
import { or0, rateOf, unlessAhead } from './rate.ts';
import { createIfAbsent } from './sessions.ts';
import { liveSession } from './user-queue-documents.ts';

/** How long the caller that may count has until another one may: the longest pause, which a count that succeeds makes shorter. */
const countingMs = 10_000;

const unlimited: TicketDemand = {
  bytes: 0,
  maxPending: Number.MAX_SAFE_INTEGER,
  maxPendingBytes: Number.MAX_SAFE_INTEGER,
};

const pending = { $subtract: ['$accepted', { $max: ['$settled', or0('$countedSettled')] }] };
const pendingBytes = { $subtract: [or0('$acceptedBytes'), { $max: [or0('$settledBytes'), or0('$countedBytes')] }] };

/**
 * As a pipeline, because an `$expr` in the filter scans the collection in the stand-in, and a refusal has to say why. `sessions`: what
 * the ticket makes the sessions of the user.
 */
const ticketUpdate = (demand: TicketDemand, now: number, sessions: Session[] | undefined) => {
  const { everyMs, limitMs, rateAt } = rateOf(demand, now);
  const { count = 1 } = demand;
  const isTooMany = { $gt: [{ $add: [pending, count] }, demand.maxPending] };
  const isTooMuch = { $gt: [{ $add: [pendingBytes, demand.bytes] }, demand.maxPendingBytes] };
  // One request alone may have more bytes than that, when nothing else is pending.
  const isMoreThanAll = count > 1 && demand.bytes > demand.maxPendingBytes;
  const isTooFast = demand.ratePerSecond ? { $gt: [rateAt, limitMs] } : false;
  const isOverBytes = { $cond: [{ $gt: [pending, 0] }, isTooMuch, isMoreThanAll] };
  const refusal = {
    $cond: [isTooMany, 'requests', { $cond: [isOverBytes, 'bytes', { $cond: [isTooFast, 'rate', ''] }] }],
  };
  const taken = (value: unknown, otherwise: unknown) => ({ $cond: [{ $eq: ['$refusal', ''] }, value, otherwise] });
  const isCountDue = {
    $and: [{ $in: ['$refusal', ['requests', 'bytes']] }, { $lte: [unlessAhead('$countAgainAt', now, 20_000), now] }],
  };
  return [
    { $set: { refusal } },
    {
      $set: {
        // Bytes of tickets that were never used end here at the latest. A count does not move it: the next count starts at `settled`,
        // and would count what is settled above it twice.
        settledBytes: taken(
          { $cond: [{ $lte: ['$accepted', '$settled'] }, or0('$acceptedBytes'), or0('$settledBytes')] },
          or0('$settledBytes'),
        ),
        countDue: isCountDue,
      },
    },
    {
      $set: {
        accepted: taken({ $add: ['$accepted', count] }, '$accepted'),
        acceptedBytes: taken({ $add: [or0('$acceptedBytes'), demand.bytes] }, or0('$acceptedBytes')),
        state: taken('open', '$state'),
        ...(sessions ? { sessions: taken(sessions, '$sessions') } : {}),
        ...(demand.ratePerSecond
          ? { rateAt: taken({ $add: [{ $max: [rateAt, now] }, everyMs] }, or0('$rateAt')) }
          : {}),
        countAgainAt: { $cond: ['$countDue', now + countingMs, or0('$countAgainAt')] },
      },
    },
  ];
};

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

type Asked = { filter: { _id: string; sessions?: object }; sets?: Session[]; now: Date; demand: TicketDemand };

/**
 * Leaves `updatedAt` alone: that is the owner's, and a ticket that changed it would hide an owner that is stuck. The document after the
 * update says what was decided, and whether the user queue was open: the stand-ins do not read the one before it atomically.
 */
const take = (execute: Execute, { filter, sets, now, demand }: Asked): Promise<Ticket | TicketRefusal | undefined> =>
  execute(async ({ userQueues }) => {
    const update = ticketUpdate(demand, now.getTime(), sets);
    const after = await native(userQueues).findOneAndUpdate(filter, update, { returnDocument: 'after', projection });
    if (!after?.refusal) return after ? toTicket(after, demand.count) : undefined;
    return toRefusal(after, after.refusal, (after.rateAt ?? 0) - rateOf(demand, now.getTime()).limitMs);
    // So that no ticket is taken for a request that could not be recorded.
  }, 'requests.userId_1_key_1');

export const ticketStore = (
  execute: Execute,
): Pick<UserQueueStore, 'takeTicket' | 'takeTicketByReference' | 'noteCounted'> => ({
  takeTicket: (userId, sessionId, now, demand = unlimited) => {
    const session = sessionId === undefined ? {} : { sessions: liveSession(now, sessionId) };
    return take(execute, { filter: { _id: userId, ...session }, now, demand });
  },

  takeTicketByReference: async ({ userId, user, lane }, now, demand = unlimited) => {
    const asked = { filter: { _id: userId }, sets: [permanentSession], now, demand };
    const taken = await take(execute, asked);
    if (taken) return taken;
    // Not an upsert: of several at once, the stand-ins may answer one with null.
    await createIfAbsent(execute, { userId, user, lane, sessions: [], updatedAt: new Date(0) });
    const ticket = await take(execute, asked);
    if (!ticket) throw new Error(`The user queue ${userId} was created and is not there.`);
    return ticket;
  },

  noteCounted: async (userId, { requests, bytes }, countAgainAt) => {
    const counted = { countedSettled: requests, countedBytes: bytes };
    const update = { $max: counted, $set: { countAgainAt: countAgainAt.getTime() } };
    await execute(({ userQueues }) => native(userQueues).updateOne({ _id: userId }, update));
  },
});
