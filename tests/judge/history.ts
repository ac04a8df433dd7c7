/**
 * What a test run writes down, one JSON object a line, and what the judge reads.
 *
 * `at` is in milliseconds and may have a fraction; every process of one history reads the same clock. The order of the
 * lines does not matter. A worker's name is used by one process only: a restarted worker has a new one.
 */
import type { DeadLetterReason, Outcome, RequestStatus, SettledStatus, UserQueueState } from '../../lib/types.ts';

/** What a fault may do to the runs it hits. */
type Effect = {
  /** Runs of the target end without an `ended` event. */
  kills: boolean;
  /** The target may be alive while another worker takes over: the exception to "one at a time". */
  cutsOff: boolean;
  /** A request may run again though no attempt of it failed. */
  repeats: boolean;
};

const harmless: Effect = { kills: false, cutsOff: false, repeats: false };

export const faultEffects = {
  'worker-killed': { kills: true, cutsOff: false, repeats: true },
  /** The event loop hangs; the primary kills the worker. */
  'worker-hung': { kills: true, cutsOff: true, repeats: true },
  'worker-frozen': { kills: false, cutsOff: true, repeats: true },
  'connection-cut': { kills: false, cutsOff: true, repeats: true },
  'network-slow': { kills: false, cutsOff: true, repeats: true },
  'broker-restarted': { kills: false, cutsOff: true, repeats: true },
  'broker-wiped': { kills: false, cutsOff: true, repeats: true },
  'store-restarted': { kills: false, cutsOff: false, repeats: true },
  'worker-joined': harmless,
  'worker-stopped': harmless,
  'lane-handed-over': harmless,
  'function-killed': harmless,
  /** Its connections were cut, frozen or slow: functions run nothing. */
  'function-cut-off': harmless,
  'user-queue-deleted': harmless,
  'clock-jumped': harmless,
} satisfies Record<string, Effect>;

export type FaultKind = keyof typeof faultEffects;

type OfRequest = { userId: string; seq: number; at: number };
type OfRun = OfRequest & { attempt: number; fencingToken: number; worker: string };

export type HistoryEvent =
  /** A client saw `202`. `sentAt`: before it asked. No `session`: one that may end by itself. */
  | (OfRequest & { kind: 'accepted'; key?: string; sentAt?: number; session?: string })
  /** A client saw an error instead. */
  | { kind: 'refused'; userId: string; at: number; code?: string }
  | (OfRun & { kind: 'started' })
  /** `crashed`: it ended its process, which was its own. `result`: what a run returned that is done, as JSON text; absent where nobody recorded it. */
  | (OfRun & { kind: 'ended'; outcome: Outcome['kind'] | 'aborted' | 'crashed'; result?: string })
  /** The worker knows that the outcome is in the ledger. */
  | (OfRequest & { kind: 'settled'; status: SettledStatus; fencingToken: number; worker: string })
  /** A client saw that its request was cancelled. */
  | (OfRequest & { kind: 'cancelled' })
  /** A client is about to ask for it, whatever it will hear. */
  | (OfRequest & { kind: 'cancel-asked' })
  /** A person is about to decide about a blocked request; each time they say so. */
  | (OfRequest & { kind: 'decided'; decision: 'retry' | 'skip' })
  /** A client is about to end its session; each time it asks. */
  | { kind: 'leaving'; userId: string; session: string; pending: 'drain' | 'cancel'; at: number }
  /** It heard that its session has ended, and no call of it is on its way any more. */
  | { kind: 'left'; userId: string; session: string; at: number }
  /**
   * `at` is read before the fault is done, `until` (where it lasts) after it is over. `target` is a worker or, of a
   * consumer's primary, the part of its workers' names before the `/`. No target: it may have hit everybody.
   */
  | { kind: 'fault'; fault: FaultKind; at: number; until?: number; target?: string };

export type FinalEntry = {
  userId: string;
  seq: number;
  key?: string;
  status: RequestStatus;
  attempts: number;
  result?: string;
  deadLetter?: { reason: DeadLetterReason };
  retryOf?: number;
};

/** Read after every user has disconnected and the queues have had time to end. */
export type FinalState = {
  ledger: FinalEntry[];
  userQueues: { userId: string; state: UserQueueState; accepted: number; settled: number }[];
  /** The names of the user queues that RabbitMQ still has. */
  leftOverQueues: string[];
};

type EventOf<Kind extends HistoryEvent['kind']> = Extract<HistoryEvent, { kind: Kind }>;
export type Started = EventOf<'started'>;
export type Ended = EventOf<'ended'>;
export type Settled = EventOf<'settled'>;
export type Fault = EventOf<'fault'>;

/** One run from its start to its end; `end` is absent when its worker died in it. */
export type RunSpan = { start: Started; end: Ended | undefined };

export type UserHistory = {
  userId: string;
  accepted: EventOf<'accepted'>[];
  cancelled: EventOf<'cancelled'>[];
  cancelAsked: EventOf<'cancel-asked'>[];
  decided: EventOf<'decided'>[];
  leaving: EventOf<'leaving'>[];
  left: EventOf<'left'>[];
  settled: Settled[];
  /** In the order of their starts. */
  runs: RunSpan[];
  unpaired: (Started | Ended)[];
  entries: FinalEntry[];
};

const runId = (event: Started | Ended): string =>
  JSON.stringify([event.seq, event.attempt, event.fencingToken, event.worker]);

/** In the order of time: an isolated run whose process may have died of an earlier one begins anew, as the same attempt. */
const pairRuns = (started: Started[], ended: Ended[]): Pick<UserHistory, 'runs' | 'unpaired'> => {
  const ends = Map.groupBy(
    ended.toSorted((a, b) => a.at - b.at),
    runId,
  );
  const runs = started
    .toSorted((a, b) => a.at - b.at)
    .map((start) => ({ start, end: ends.get(runId(start))?.shift() }));
  return { runs, unpaired: [...ends.values()].flat() };
};

/** Sorts a history by user. A user shows up when any event, ledger entry or user queue names it. */
export const byUser = (events: HistoryEvent[], final: FinalState): UserHistory[] => {
  const ids = new Set<string>();
  for (const event of events) if (event.kind !== 'fault') ids.add(event.userId);
  for (const { userId } of [...final.ledger, ...final.userQueues]) ids.add(userId);

  const eventsOf = Map.groupBy(events, (event) => (event.kind === 'fault' ? '' : event.userId));
  const entriesOf = Map.groupBy(final.ledger, (entry) => entry.userId);
  return [...ids].map((userId) => {
    const own = eventsOf.get(userId) ?? [];
    const pick = <Kind extends HistoryEvent['kind']>(kind: Kind) =>
      own.filter((event): event is EventOf<Kind> => event.kind === kind);
    return {
      userId,
      accepted: pick('accepted'),
      cancelled: pick('cancelled'),
      cancelAsked: pick('cancel-asked'),
      decided: pick('decided'),
      leaving: pick('leaving'),
      left: pick('left'),
      settled: pick('settled'),
      ...pairRuns(pick('started'), pick('ended')),
      entries: entriesOf.get(userId) ?? [],
    };
  });
};
