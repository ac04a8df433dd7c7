/** The ticket step of the stand-in for MongoDB: what `lib/store/tickets.ts` leaves to the server. */
import { clockToleranceMs } from '../database-clock.ts';
import type { TicketDemand } from '../ports.ts';
import type { Ticket, TicketRefusal, UserQueue } from '../types.ts';

const unlessAhead = (time: number, now: number, ms: number) => (time > now + ms + clockToleranceMs ? 0 : time);

/** Takes the ticket, or says why not. Changes the user queue in both cases. */
export const takeMemoryTicket = (queue: UserQueue, now: number, demand?: TicketDemand): Ticket | TicketRefusal => {
  const { count = 1, bytes = 0, maxPending = Infinity, maxPendingBytes = Infinity, ratePerSecond = 0 } = demand ?? {};
  const { acceptedBytes = 0, settledBytes = 0, countedSettled = 0, countedBytes = 0, settled, lane, state } = queue;
  const pending = queue.accepted - Math.max(settled, countedSettled);
  const pendingBytes = acceptedBytes - Math.max(settledBytes, countedBytes);
  const everyMs = ratePerSecond > 0 ? (count * 1_000) / ratePerSecond : 0;
  const rateAt = unlessAhead(queue.rateAt ?? 0, now, 1_000);
  const waitMs = rateAt - (now + Math.max(0, 1_000 - everyMs));
  const refuse = (refused: TicketRefusal['refused']): TicketRefusal => {
    const countDue = refused !== 'rate' && unlessAhead(queue.countAgainAt ?? 0, now, 20_000) <= now;
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
  if (ratePerSecond > 0) queue.rateAt = Math.max(rateAt, now) + everyMs;
  const wasOpen = state === 'open' && !queue.queueRefused;
  return { first, seq: queue.accepted, lane, wasOpen, settled, bytesThrough: queue.acceptedBytes };
};
