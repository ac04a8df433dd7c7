/** The ticket step for many calls of one process [protocol, Enqueue]. */
import { randomBytes } from 'node:crypto';
import type { Ticket, TicketRefusal } from '../types.ts';
import { type Shared, shareStatements } from './share-statements.ts';
import { groupAsks, shareTicket, type TicketAsk, type TicketOutcome } from './ticket-groups.ts';

export type TicketAnswer = Ticket | TicketRefusal | undefined;

/** The name of the outcomes of one bulk: whose it is, and when it was sent. No process gives one twice. */
export type OutcomeName = { by: string; at: number };

/**
 * How a bulk's updates name their outcomes. Those of the same process before `unreadFrom` have been read. Those of other processes before
 * `othersFrom` will not be.
 */
export type OutcomeMark = OutcomeName & { unreadFrom: number; othersFrom: number };

/** An outcome is read within a round trip. Those of a process that died are never read. */
const outcomeMs = 10_000;

/** What the ticket step keeps in the user's document for itself. */
export type TicketFields = {
  /** What refused the newest call that asked for a ticket; empty when it got one. */
  refusal?: '' | TicketRefusal['refused'];
  countDue?: boolean;
  /** The last outcomes of tickets that were taken in bulks, for the processes that sent those. */
  tickets?: (OutcomeName & TicketOutcome)[];
};

/** What the taker needs of MongoDB. */
export type TicketServer = {
  takeOne(ask: TicketAsk): Promise<TicketAnswer>;
  /** Each ask is an update of its own, for a user of its own. One that takes a ticket writes its outcome down; any other takes nothing, and only notes the refusal. */
  takeAll(asks: TicketAsk[], mark: OutcomeMark): Promise<void>;
  /** What the documents of those users say who have one, and the outcomes of this name that are still there. */
  readOutcomes(
    userIds: string[],
    name: OutcomeName,
  ): Promise<{ userId: string; lane: number; settled: number; outcome: TicketOutcome | undefined }[]>;
  /** Whether the server takes an update with a pipeline in a bulk. */
  takesBulks(): Promise<boolean>;
  /** The time by which outcomes that nobody reads end. */
  now(): number;
};

/** Returns the ticket step. Calls that come while others are on their way share an update of their user and travel in one bulk. */
export const createTicketTaker = (server: TicketServer): ((ask: TicketAsk) => Promise<TicketAnswer>) => {
  const by = randomBytes(6).toString('base64url');
  /** When the bulks were sent whose outcomes are still to be read. */
  const unread = new Set<number>();
  let lastAt = 0;

  const takeTogether = async (asks: TicketAsk[]): Promise<Shared<TicketAnswer>[]> => {
    const answers: Shared<TicketAnswer>[] = asks.map(() => undefined);
    if (!(await server.takesBulks())) return answers;
    const groups = groupAsks(asks);
    const now = server.now();
    // Later than the last one, also when MongoDB's clock was set back: then it stays ahead of `now`.
    const at = Math.max(lastAt + 1, now);
    lastAt = at;
    unread.add(at);
    const mark = { by, at, unreadFrom: Math.min(...unread), othersFrom: now - outcomeMs };
    try {
      await server.takeAll(
        groups.map(({ ask }) => ask),
        mark,
      );
      const userIds = groups.map(({ ask }) => ask.userId);
      const found = new Map((await server.readOutcomes(userIds, { by, at })).map((one) => [one.userId, one]));
      for (const group of groups) {
        const one = found.get(group.ask.userId);
        // A new user: to ask alone would give the same answer.
        if (!one) for (const place of group.places) answers[place] = { answer: undefined };
        if (!one?.outcome) continue;
        for (const { place, ticket } of shareTicket(group, asks, one.outcome, one)) answers[place] = { answer: ticket };
      }
      return answers;
    } finally {
      unread.delete(at);
    }
  };

  return shareStatements({ alone: server.takeOne, together: takeTogether });
};
