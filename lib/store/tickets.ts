/** Tickets: the atomic update that opens a user queue and gives out the next `seq`. */
import type { TicketLimit, UserQueueStore } from '../ports.ts';
import type { Ticket } from '../types.ts';
import type { Execute } from './connection.ts';
import { liveSession } from './user-queue-documents.ts';

/** Matches a user queue that has room for one more request. */
const hasRoom = (limit: TicketLimit) =>
  'seq' in limit
    ? { accepted: { $lt: limit.seq } }
    : { $expr: { $lt: [{ $subtract: ['$accepted', '$settled'] }, limit.pending] } };

export const ticketStore = (execute: Execute): Pick<UserQueueStore, 'takeTicket'> => ({
  // Leaves `updatedAt` alone: that is the owner's, and a ticket that changed it would hide an owner that is stuck. The document
  // after the update says whether the user queue was open: the stand-ins do not read the one before it atomically.
  takeTicket: (userId, sessionId, now, limit) =>
    execute(async ({ userQueues }): Promise<Ticket | undefined> => {
      const after = await userQueues
        .findOneAndUpdate(
          {
            _id: userId,
            ...(sessionId === undefined ? {} : { sessions: liveSession(now, sessionId) }),
            ...(limit ? hasRoom(limit) : {}),
          },
          { $inc: { accepted: 1 }, $set: { state: 'open' } },
          {
            returnDocument: 'after',
            projection: { lane: 1, accepted: 1, settled: 1, closedThrough: 1, queueRefused: 1 },
          },
        )
        .lean();
      if (!after) return undefined;
      const { lane, accepted: seq, settled, closedThrough, queueRefused } = after;
      return { seq, lane, wasOpen: seq - 1 !== closedThrough && !queueRefused, settled };
    }),
});
