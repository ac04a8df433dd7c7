/** The update that takes a ticket: alone, or in a bulk, where it also writes down its outcome. */
import { or0, ticketRateOf, unlessAhead } from './rate.ts';
import type { TicketAsk } from './ticket-groups.ts';
import type { OutcomeMark } from './ticket-taker.ts';

/** How long the caller that may count has until another one may: the longest pause, which a count that succeeds makes shorter. */
const countingMs = 10_000;

/**
 * Every outcome in the list makes the user's next updates slower. There is one for each process that serves the user, and for each
 * bulk that it has under way.
 */
const maxOutcomes = 64;

const pending = { $subtract: ['$accepted', { $max: ['$settled', or0('$countedSettled')] }] };
const pendingBytes = { $subtract: [or0('$acceptedBytes'), { $max: [or0('$settledBytes'), or0('$countedBytes')] }] };

const taken = (value: unknown, otherwise: unknown) => ({ $cond: [{ $eq: ['$refusal', ''] }, value, otherwise] });

/** The limit that refuses the ticket; an empty text when none does. */
const refusalOf = ({ demand, isSum = false, now }: TicketAsk) => {
  const { count = 1, bytes, maxPending, maxPendingBytes, ratePerSecond } = demand;
  const { limitMs, sumLimitMs, rateAt } = ticketRateOf(demand, now.getTime());
  const isTooMany = { $gt: [{ $add: [pending, count] }, maxPending] };
  const isTooMuch = { $gt: [{ $add: [pendingBytes, bytes] }, maxPendingBytes] };
  // One request alone may have more bytes than that, when nothing else is pending.
  const isMoreThanAll = count > 1 && bytes > maxPendingBytes;
  const isOverBytes = { $cond: [{ $gt: [pending, 0] }, isTooMuch, isMoreThanAll] };
  const isOverRate = isSum ? { $gt: [{ $max: [rateAt, now.getTime()] }, sumLimitMs] } : { $gt: [rateAt, limitMs] };
  const isTooFast = ratePerSecond ? isOverRate : false;
  return { $cond: [isTooMany, 'requests', { $cond: [isOverBytes, 'bytes', { $cond: [isTooFast, 'rate', ''] }] }] };
};

/** Only a call that asks alone learns why it was refused, so only such a call may count. */
const countDueOf = (now: number, mark: OutcomeMark | undefined) =>
  mark
    ? false
    : {
        $and: [
          { $in: ['$refusal', ['requests', 'bytes']] },
          { $lte: [unlessAhead('$countAgainAt', now, 20_000), now] },
        ],
      };

/** Appends the outcome, and drops those that have been read or will not be. */
const withOutcome = (count: number, { by, at, unreadFrom, othersFrom }: OutcomeMark) => {
  const wasOpen = {
    $and: [{ $ne: [{ $subtract: ['$accepted', count] }, '$closedThrough'] }, { $ne: ['$queueRefused', true] }],
  };
  const keptFrom = { $cond: [{ $eq: ['$$one.by', by] }, unreadFrom, othersFrom] };
  const kept = { $filter: { input: orNone('$tickets'), as: 'one', cond: { $gte: ['$$one.at', keptFrom] } } };
  const outcome = { by, at, seq: '$accepted', bytes: '$acceptedBytes', wasOpen };
  return { $slice: [{ $concatArrays: [kept, [outcome]] }, -maxOutcomes] };
};

const orNone = (field: string) => ({ $ifNull: [field, []] });

/**
 * As a pipeline, because an `$expr` in the filter scans the collection in the stand-in, and a refusal has to say why. Without `mark`, the
 * document says after it what was decided.
 */
export const ticketUpdate = (ask: TicketAsk, mark?: OutcomeMark) => {
  const { demand, sets } = ask;
  const { count = 1, bytes, ratePerSecond } = demand;
  const now = ask.now.getTime();
  const { everyMs, rateAt } = ticketRateOf(demand, now);
  return [
    { $set: { refusal: refusalOf(ask) } },
    {
      $set: {
        // Bytes of tickets that were never used end here at the latest. A count does not move it: the next count starts at `settled`,
        // and would count what is settled above it twice.
        settledBytes: taken(
          { $cond: [{ $lte: ['$accepted', '$settled'] }, or0('$acceptedBytes'), or0('$settledBytes')] },
          or0('$settledBytes'),
        ),
        countDue: countDueOf(now, mark),
      },
    },
    {
      $set: {
        accepted: taken({ $add: ['$accepted', count] }, '$accepted'),
        acceptedBytes: taken({ $add: [or0('$acceptedBytes'), bytes] }, or0('$acceptedBytes')),
        state: taken('open', '$state'),
        quiet: taken(null, { $ifNull: ['$quiet', null] }),
        ...(sets ? { sessions: taken(sets, '$sessions') } : {}),
        ...(ratePerSecond ? { rateAt: taken({ $add: [{ $max: [rateAt, now] }, everyMs] }, or0('$rateAt')) } : {}),
        countAgainAt: { $cond: ['$countDue', now + countingMs, or0('$countAgainAt')] },
      },
    },
    ...(mark ? [{ $set: { tickets: taken(withOutcome(count, mark), orNone('$tickets')) } }] : []),
  ];
};
