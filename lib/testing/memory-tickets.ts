/** The ticket step of the stand-in for MongoDB: what `lib/store/tickets.ts` leaves to the server. */
import { clockToleranceMs } from '../database-clock.ts';
import type { Session } from '../sessions.ts';
import { ticketAheadMs } from '../store/rate.ts';
import type { TicketAsk, TicketOutcome } from '../store/ticket-groups.ts';
import type { OutcomeMark, OutcomeName, TicketAnswer, TicketServer } from '../store/ticket-taker.ts';
import type { Ticket, TicketRefusal, UserQueue } from '../types.ts';
import type { MemoryDatabase, Step } from './memory-stores.ts';

/** MongoDB keeps 64 of a user, the stand-in one: so it is often lost. */
export type MemoryOutcome = OutcomeName & TicketOutcome;

const unlessAhead = (time: number, now: number, ms: number) => (time > now + ms + clockToleranceMs ? 0 : time);

/** Takes the ticket, or says why not. Alone, it changes the user queue in both cases. */
const takeFrom = (
  queue: UserQueue,
  { demand, isSum, sets, ...ask }: TicketAsk,
  isAlone: boolean,
): Ticket | TicketRefusal => {
  const { count = 1, bytes, maxPending, maxPendingBytes, ratePerSecond = 0 } = demand;
  const now = ask.now.getTime();
  const { acceptedBytes = 0, settledBytes = 0, countedSettled = 0, countedBytes = 0, settled, lane, state } = queue;
  const pending = queue.accepted - Math.max(settled, countedSettled);
  const pendingBytes = acceptedBytes - Math.max(settledBytes, countedBytes);
  const everyMs = ratePerSecond > 0 ? (count * 1_000) / ratePerSecond : 0;
  const rateAt = unlessAhead(queue.rateAt ?? 0, now, ticketAheadMs(ratePerSecond));
  const sumLimitMs = now + 1_000 - everyMs;
  const waitMs = isSum ? Math.max(rateAt, now) - sumLimitMs : rateAt - Math.max(now, sumLimitMs);
  const refuse = (refused: TicketRefusal['refused']): TicketRefusal => {
    const countDue = isAlone && refused !== 'rate' && unlessAhead(queue.countAgainAt ?? 0, now, 20_000) <= now;
    if (countDue) queue.countAgainAt = now + 10_000;
    return { refused, pending, pendingBytes, waitMs, countDue, settled, settledBytes };
  };
  if (pending + count > maxPending) return refuse('requests');
  if (pending > 0 ? pendingBytes + bytes > maxPendingBytes : count > 1 && bytes > maxPendingBytes)
    return refuse('bytes');
  if (ratePerSecond > 0 && waitMs > 0) return refuse('rate');
  if (queue.accepted <= settled) queue.settledBytes = acceptedBytes;
  const first = queue.accepted + 1;
  queue.accepted += count;
  queue.acceptedBytes = acceptedBytes + bytes;
  queue.state = 'open';
  if (sets) queue.sessions = structuredClone(sets);
  if (ratePerSecond > 0) queue.rateAt = Math.max(rateAt, now) + everyMs;
  const wasOpen = state === 'open' && !queue.queueRefused;
  return { first, seq: queue.accepted, lane, wasOpen, settled, bytesThrough: queue.acceptedBytes };
};

/** As in MongoDB, each update of a bulk is a step, and the read of the outcomes is one. */
export const memoryTicketServer = ({ userQueues, outcomes, quiet }: MemoryDatabase, step: Step): TicketServer => {
  const take = (ask: TicketAsk, isAlone: boolean): TicketAnswer => {
    const { userId, sessionId, now } = ask;
    const queue = userQueues.get(userId);
    const isLive = ({ id, expiresAt }: Session) => id === sessionId && expiresAt > now;
    if (!queue || (sessionId !== undefined && !queue.sessions.some(isLive))) return undefined;
    const taken = takeFrom(queue, ask, isAlone);
    if (taken.seq !== undefined) quiet.delete(userId);
    return taken;
  };

  const takeInBulk = (ask: TicketAsk, { by, at }: OutcomeMark): void => {
    const taken = take(ask, false);
    if (taken?.seq === undefined) return;
    const { seq, bytesThrough: bytes, wasOpen } = taken;
    outcomes.set(ask.userId, { by, at, seq, bytes, wasOpen });
  };

  return {
    takeOne: (ask) => step(`userQueues.takeTicket ${ask.userId}`, () => take(ask, true)),

    takeAll: async (asks, mark) => {
      await Promise.all(asks.map((ask) => step(`userQueues.takeAll ${ask.userId}`, () => takeInBulk(ask, mark))));
    },

    readOutcomes: (userIds, { by, at }) =>
      step(`userQueues.readOutcomes ${userIds}`, () =>
        userIds.flatMap((userId) => {
          const queue = userQueues.get(userId);
          const last = outcomes.get(userId);
          const outcome = last?.by === by && last.at === at ? { ...last } : undefined;
          return queue ? [{ userId, lane: queue.lane, settled: queue.settled, outcome }] : [];
        }),
      ),

    takesBulks: async () => true,
    // Its outcomes do not end.
    now: () => 0,
  };
};
