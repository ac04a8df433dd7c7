/** Tickets that travel together: which asks become one update, and which part of its ticket each of them gets. */
import type { TicketDemand } from '../ports.ts';
import type { Session } from '../sessions.ts';
import type { Ticket } from '../types.ts';

/**
 * What a call asks for. `sets`: what the ticket makes the sessions of the user. Without `sessionId` the user needs no session. `isSum`: of
 * several calls.
 */
export type TicketAsk = {
  userId: string;
  sessionId?: string;
  sets?: Session[];
  now: Date;
  demand: TicketDemand;
  isSum?: boolean;
};

/** Asks that become one update. `places`: where they stand among all asks. */
export type TicketGroup = { ask: TicketAsk; places: number[] };

/** What an update writes down for those who sent it: the ticket without what the document says anyway. */
export type TicketOutcome = { seq: number; bytes: number; wasOpen: boolean };

const countOf = ({ demand }: TicketAsk): number => demand.count ?? 1;

const mayJoin = (one: TicketAsk, other: TicketAsk): boolean =>
  one.sessionId === other.sessionId &&
  one.sets === other.sets &&
  one.demand.maxPending === other.demand.maxPending &&
  one.demand.maxPendingBytes === other.demand.maxPendingBytes &&
  one.demand.ratePerSecond === other.demand.ratePerSecond;

const join = (one: TicketAsk, other: TicketAsk): TicketAsk => ({
  ...one,
  now: other.now,
  isSum: true,
  demand: {
    ...one.demand,
    count: countOf(one) + countOf(other),
    bytes: one.demand.bytes + other.demand.bytes,
  },
});

/** One group for each user. An ask of another session than the first one of its user is in none. */
export const groupAsks = (asks: TicketAsk[]): TicketGroup[] => {
  const groups = new Map<string, TicketGroup>();
  for (const [place, ask] of asks.entries()) {
    const group = groups.get(ask.userId);
    if (!group) groups.set(ask.userId, { ask, places: [place] });
    else if (mayJoin(group.ask, ask)) {
      group.ask = join(group.ask, ask);
      group.places.push(place);
    }
  }
  return [...groups.values()];
};

/** The tickets of a group's asks, in their order. */
export const shareTicket = (
  { ask, places }: TicketGroup,
  asks: TicketAsk[],
  { seq, bytes, wasOpen }: TicketOutcome,
  { lane, settled }: { lane: number; settled: number },
): { place: number; ticket: Ticket }[] => {
  let last = seq - countOf(ask);
  let bytesThrough = bytes - ask.demand.bytes;
  return places.map((place) => {
    const own = asks[place] as TicketAsk;
    const first = last + 1;
    last += countOf(own);
    bytesThrough += own.demand.bytes;
    return { place, ticket: { first, seq: last, lane, wasOpen, settled, bytesThrough } };
  });
};
