/**
 * The format of a history: one JSON object per line. Test runs write it and the judge reads it.
 *
 * `at` is in milliseconds and may have a fraction. All processes of one history read the same clock. The order of the
 * lines does not matter. Each worker name belongs to one process: a restarted worker gets a new name.
 */
import type { DeadLetterReason, Outcome, RequestStatus, SettledStatus, UserQueueState } from '../../lib/types.ts';

/** What a fault may do to the runs of its target. */
type Effect = {
  /** The target's runs end without an `ended` event. */
  kills: boolean;
  /** The target may still be alive when another worker acquires its lanes: the exception to "one at a time". */
  cutsOff: boolean;
  /** A request may run again although none of its attempts failed. */
  repeats: boolean;
};

const harmless: Effect = { kills: false, cutsOff: false, repeats: false };

export const faultEffects = {
  'worker-killed': { kills: true, cutsOff: false, repeats: true },
  /** The event loop hangs; the primary kills the worker. */
  'worker-hung': { kills: true, cutsOff: true, repeats: true },
  'worker-frozen': { kills: false, cutsOff: true, repeats: true },
  /** It stands still for so short a time that it must keep its lanes. */
  'worker-stalled': harmless,
  'connection-cut': { kills: false, cutsOff: true, repeats: true },
  'network-slow': { kills: false, cutsOff: true, repeats: true },
  'broker-restarted': { kills: false, cutsOff: true, repeats: true },
  'broker-wiped': { kills: false, cutsOff: true, repeats: true },
  'store-restarted': { kills: false, cutsOff: false, repeats: true },
  /** Of one node of a cluster: its clients connect to another one. Which of them it hits is not recorded. */
  'node-killed': { kills: false, cutsOff: true, repeats: true },
  'node-frozen': { kills: false, cutsOff: true, repeats: true },
  'node-cut-off': { kills: false, cutsOff: true, repeats: true },
  'worker-joined': harmless,
  'worker-stopped': harmless,
  'lane-handed-over': harmless,
  'function-killed': harmless,
  /** The connections of an API process were cut, frozen or slow. Functions run no requests, so this excuses nothing. */
  'function-cut-off': harmless,
  'user-queue-deleted': harmless,
  /** RabbitMQ refuses the queue of one user. Its user is served from the ledger, and no lane is lost [R10]. */
  'user-queue-refused': harmless,
  /** RabbitMQ refuses every user queue that does not exist yet, because of a limit. */
  'queues-limited': harmless,
  /** RabbitMQ refuses to declare and to delete user queues, because the workers lack the permission. */
  'permission-withdrawn': harmless,
  /** Some runs go on past their deadlines. They fail when they end, and run again without a fault. */
  'runs-hung': harmless,
  /** A caller costs too much: large requests, logins with unknown names, calls that are broken off. */
  'large-requests': harmless,
  'login-storm': harmless,
  'clients-hung-up': harmless,
  'clock-jumped': harmless,
  'store-clock-jumped': harmless,
} satisfies Record<string, Effect>;

export type FaultKind = keyof typeof faultEffects;

type OfRequest = { userId: string; seq: number; at: number };
type OfRun = OfRequest & { attempt: number; fencingToken: number; worker: string };

export type HistoryEvent =
  /**
   * A client received `202`. `sentAt` was read before the client sent the request. `session` is absent when the session
   * may end without a `leaving` event. `once`: the request must not run again after an interruption.
   */
  | (OfRequest & { kind: 'accepted'; key?: string; sentAt?: number; session?: string; once?: boolean })
  /** A client received an error, or no response. */
  | { kind: 'refused'; userId: string; at: number; code?: string }
  | (OfRun & { kind: 'started' })
  /**
   * `crashed`: an isolated run ended its own process. `taken-along`: another isolated run ended the process of both.
   * `result`: the JSON text that a run with outcome `done` returned; absent when the run did not record it.
   */
  | (OfRun & { kind: 'ended'; outcome: Outcome['kind'] | 'aborted' | 'crashed' | 'taken-along'; result?: string })
  /** The ledger has acknowledged the outcome to the worker. */
  | (OfRequest & { kind: 'settled'; status: SettledStatus; fencingToken: number; worker: string })
  /** A client received the confirmation that its request is cancelled. */
  | (OfRequest & { kind: 'cancelled' })
  /** A client is about to ask for the cancellation of a request. The answer may be a refusal. */
  | (OfRequest & { kind: 'cancel-asked' })
  /**
   * A user or an operator is about to send a decision about a request that is blocked or waits for its next attempt. One
   * event per call.
   */
  | (OfRequest & { kind: 'decided'; decision: 'retry' | 'skip' })
  /** A client is about to end its session. One event per call. */
  | { kind: 'leaving'; userId: string; session: string; pending: 'drain' | 'cancel'; at: number }
  /** The client received the confirmation that its session has ended, and none of its disconnect calls is in flight. */
  | { kind: 'left'; userId: string; session: string; at: number }
  /**
   * `at` is read before the fault begins, and `until` (only for a fault that lasts) after it is over. `target` is the
   * name of a worker or, for a consumer's primary, the part of its workers' names before the `/`. Without a target, the
   * fault may have hit every worker.
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
  /** An operator has decided to end its run. */
  endRequested?: boolean;
  retryOf?: number;
};

/** Why a request was given up. A dead letter that has been dropped since may have been the end of its run. */
export const gaveUpAs = ({ status, deadLetter, endRequested }: FinalEntry): DeadLetterReason | undefined =>
  deadLetter?.reason ?? (status === 'failed' && endRequested ? 'ended' : undefined);

/** The state that is read after every user has disconnected and the queues have had time to close. */
export type FinalState = {
  ledger: FinalEntry[];
  userQueues: { userId: string; state: UserQueueState; accepted: number; settled: number }[];
  /** The names of the user queues that still exist in RabbitMQ. */
  leftOverQueues: string[];
};

type EventOf<Kind extends HistoryEvent['kind']> = Extract<HistoryEvent, { kind: Kind }>;
export type Started = EventOf<'started'>;
export type Ended = EventOf<'ended'>;
export type Settled = EventOf<'settled'>;
export type Fault = EventOf<'fault'>;

/** One run from its start to its end. `end` is absent when the worker died during the run. */
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
  /** Sorted by their starts. */
  runs: RunSpan[];
  unpaired: (Started | Ended)[];
  entries: FinalEntry[];
};

const runId = (event: Started | Ended): string =>
  JSON.stringify([event.seq, event.attempt, event.fencingToken, event.worker]);

/**
 * Pairs starts with ends in the order of time. Two runs can have the same id: when the process of an isolated run may
 * have died because of an earlier run, the attempt starts again under the same number.
 */
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

/** Groups a history by user. Includes every user that an event, a ledger entry or a user queue names. */
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
