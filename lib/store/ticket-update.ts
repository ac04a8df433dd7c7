/** The update that takes a ticket: alone, or in a bulk, where it also writes down its outcome. */
import { or0, ticketRateOf, unlessAhead } from './rate.ts';
import type { TicketAsk } from './ticket-groups.ts';
import type { OutcomeMark } from './ticket-taker.ts';
import { valueFor } from './value-for.ts';

/** How long the caller that may count has until another one may: the longest pause, which a count that succeeds makes shorter. */
const countingMs = 10_000;

/**
 * Every outcome in the list makes the user's next updates slower. There is one for each process that serves the user, and for each
 * bulk that it has under way.
 */
const maxOutcomes = 64;

// `$max` and `$sum` leave out a field that is missing.
const settled = { $max: ['$settled', '$countedSettled'] };
const pending = { $subtract: ['$accepted', settled] };
const pendingBytes = { $subtract: [or0('$acceptedBytes'), { $max: [0, '$settledBytes', '$countedBytes'] }] };

const isTaken = { $eq: ['$refusal', ''] };

/** How many requests and bytes this user's ticket is for. They may differ from user to user. */
const [count, bytes] = ['$$count', '$$bytes'];

const forEach = (asks: TicketAsk[], expression: object) => {
  const vars = {
    count: valueFor(asks.map(({ userId, demand }) => [userId, demand.count ?? 1])),
    bytes: valueFor(asks.map(({ userId, demand }) => [userId, demand.bytes])),
  };
  return { $let: { vars, in: expression } };
};

/** The limit that refuses the ticket; an empty text when none does. */
const refusalOf = ({ demand, isSum = false, now }: TicketAsk) => {
  const { maxPending, maxPendingBytes, ratePerSecond } = demand;
  const { limitMs, sumLimitMs, rateAt } = ticketRateOf(demand, now.getTime());
  const isTooMany = { $gt: [{ $add: [pending, count] }, maxPending] };
  const isTooMuch = { $gt: [{ $add: [pendingBytes, bytes] }, maxPendingBytes] };
  // One request alone may have more bytes than that, when nothing else is pending.
  const isMoreThanAll = { $and: [{ $gt: [count, 1] }, { $gt: [bytes, maxPendingBytes] }] };
  const isOverBytes = { $and: [isTooMuch, { $or: [isMoreThanAll, { $gt: ['$accepted', settled] }] }] };
  const isOverRate = isSum ? { $gt: [{ $max: [rateAt, now.getTime()] }, sumLimitMs] } : { $gt: [rateAt, limitMs] };
  const ofRate = ratePerSecond ? { $cond: [isOverRate, 'rate', ''] } : '';
  return { $cond: [isTooMany, 'requests', { $cond: [isOverBytes, 'bytes', ofRate] }] };
};

const countDueOf = (now: number) => ({
  $and: [{ $in: ['$refusal', ['requests', 'bytes']] }, { $lte: [unlessAhead('$countAgainAt', now, 20_000), now] }],
});

/** Appends the outcome, and drops those that have been read or will not be. */
const withOutcome = (after: { seq: object; bytes: object }, { by, at, unreadFrom, othersFrom }: OutcomeMark) => {
  const wasOpen = { $and: [{ $ne: ['$accepted', '$closedThrough'] }, { $ne: ['$queueRefused', true] }] };
  const keptFrom = { $cond: [{ $eq: ['$$one.by', by] }, unreadFrom, othersFrom] };
  const kept = { $filter: { input: { $ifNull: ['$tickets', []] }, as: 'one', cond: { $gte: ['$$one.at', keptFrom] } } };
  return { $slice: [{ $concatArrays: [kept, [{ by, at, ...after, wasOpen }]] }, -maxOutcomes] };
};

/** What a ticket changes. The fields that it names are those before it. */
const changesOf = ({ demand, sets, now }: TicketAsk, mark: OutcomeMark | undefined) => {
  const { ratePerSecond } = demand;
  const { everyMs, rateAt } = ticketRateOf(demand, now.getTime());
  const after = { seq: { $add: ['$accepted', count] }, bytes: { $sum: ['$acceptedBytes', bytes] } };
  return {
    accepted: after.seq,
    acceptedBytes: after.bytes,
    // Bytes of tickets that were never used end here at the latest. A count does not move it: the next count starts at `settled`,
    // and would count what is settled above it twice.
    settledBytes: { $sum: [{ $cond: [{ $lte: ['$accepted', '$settled'] }, '$acceptedBytes', '$settledBytes'] }] },
    state: 'open',
    quiet: null,
    ...(sets ? { sessions: sets } : {}),
    ...(ratePerSecond ? { rateAt: { $add: [{ $max: [rateAt, now.getTime()] }, everyMs] } } : {}),
    ...(mark ? { tickets: withOutcome(after, mark) } : {}),
  };
};

/**
 * Asks that one update can answer. What differs between them apart from the user, the session, the requests and the bytes is written into the
 * update; with a rate, also how many requests there are.
 */
export const alike = (asks: TicketAsk[]): [TicketAsk, ...TicketAsk[]][] => {
  const kindOf = ({ sessionId, sets, isSum, demand }: TicketAsk): string => {
    const { maxPending, maxPendingBytes, ratePerSecond, count } = demand;
    const ofRate = ratePerSecond ? [ratePerSecond, count, isSum] : [];
    return JSON.stringify([sessionId !== undefined, sets, maxPending, maxPendingBytes, ...ofRate]);
  };
  return [...Map.groupBy(asks, kindOf).values()] as [TicketAsk, ...TicketAsk[]][];
};

/**
 * For asks that are alike. A pipeline, because the stand-in scans the collection for an `$expr` in the filter, and because a refusal has to say why.
 * Without `mark`, the updated document says what was decided and whether the caller may count.
 */
export const ticketUpdate = (asks: [TicketAsk, ...TicketAsk[]], mark?: OutcomeMark) => {
  const [ask] = asks;
  const now = ask.now.getTime();
  // Only a call that asks alone learns why it was refused, so only such a call may count.
  const refused = mark ? {} : { countAgainAt: { $cond: ['$countDue', now + countingMs, or0('$countAgainAt')] } };
  const taken = forEach(asks, changesOf(ask, mark));
  return [
    { $set: { refusal: forEach(asks, refusalOf(ask)) } },
    ...(mark ? [] : [{ $set: { countDue: countDueOf(now) } }]),
    { $replaceWith: { $mergeObjects: ['$$ROOT', { $cond: [isTaken, taken, refused] }] } },
  ];
};
