/**
 * The borders of the lane protocol: what the product asks of MongoDB (`lib/store`), of RabbitMQ (`lib/broker`) and of time.
 * The tests hold the real servers and their in-memory stand-ins to one contract. Every method of a broker rejects with
 * `BrokerUnavailableError` when RabbitMQ cannot answer.
 */
import type { RunTrace } from './traceparent.ts';
import type {
  DeadLetterOutcome,
  DeadLetterReason,
  EntryId,
  Outcome,
  RequestMessage,
  Run,
  RunLimits,
  SettledStatus,
} from './types.ts';

export type * from './ports/connections.ts';
export type * from './ports/dead-letters.ts';
export type * from './ports/feed.ts';
export type * from './ports/keys.ts';
export type * from './ports/lanes.ts';
export type * from './ports/stores.ts';
export type * from './ports/workers.ts';

/** `unroutable`: the queue does not exist, and the message was dropped. */
export type PublishResult = 'routed' | 'unroutable';

/** Publishes mandatory, confirmed messages, each with a deadline. Only batons are persistent. Never declares or deletes a queue [R1, R2]. */
export interface Publisher {
  publishRequest(userId: string, message: RequestMessage): Promise<PublishResult>;
  publishWake(lane: number, userId: string): Promise<PublishResult>;
  publishBaton(lane: number): Promise<PublishResult>;
}

/** One delivery that waits for its acknowledgement. `ack` on a closed channel does nothing. */
export type Delivery = { ack(): void };

export interface LaneEvents {
  baton(delivery: Delivery): void;
  wake(userId: string, delivery: Delivery): void;
  /** The channel is gone, with every consumer and every unacknowledged delivery. Called once; never after `close()`. */
  closed(cause: Error | undefined): void;
}

/** A lane's own channel: nothing that concerns a single user can close it. */
export interface LaneChannel {
  /**
   * How many workers consume this lane: the owner and those that stand by. Declares the lane's queue again. `undefined`: RabbitMQ
   * does not say it, because for a quorum queue it counts the owner alone.
   */
  consumerCount(): Promise<number | undefined>;
  /** Returns everything unacknowledged to its queue, in place. Never rejects. */
  close(): Promise<void>;
}

/** What happens to the user queues that one lane hold consumes. */
export interface UserQueueEvents {
  request(userId: string, message: RequestMessage, delivery: Delivery): void;
  /** The consumer is gone: RabbitMQ cancelled it because the queue was deleted [R6], or its channel closed. Not after `close()`. */
  consumerLost(userId: string): void;
}

/**
 * The user queues of one lane hold, on channels apart from the lane's: a refused queue affects only its user [R10]. Close it
 * before the lane's channel: a declare that is still under way must not follow the next owner's delete.
 */
export interface UserQueueChannel {
  /**
   * Declares the user queue and consumes it. Idempotent.
   *
   * @throws {BrokerRefusedError} when RabbitMQ refuses this queue; {BrokerUnavailableError} when it does not answer. Neither
   * means that the lane is lost.
   */
  open(userId: string): Promise<void>;
  /** Deletes the user queue, if it exists. @throws as `open` */
  delete(userId: string): Promise<void>;
  /** Returns everything unacknowledged to its queue, in place. Never rejects. */
  close(): Promise<void>;
}

export interface LaneBroker {
  /** The user queues of one lane hold. Opens channels when they are needed. */
  openUserQueues(events: UserQueueEvents): UserQueueChannel;
  /** Deletes the user queue, if it exists and nobody consumes it. @throws {BrokerRefusedError} {BrokerUnavailableError} */
  deleteUnusedUserQueue(userId: string): Promise<void>;
  /** Declares the lane and consumes it on a channel of its own. Events may arrive before the promise resolves. */
  openLane(lane: number, events: LaneEvents): Promise<LaneChannel>;
  /** Deletes the lane's queue, if it exists: every worker on it finds its channel closed. @throws {BrokerRefusedError} {BrokerUnavailableError} */
  deleteLane(lane: number): Promise<void>;
}

/** Time and chance, so that a scheduler can decide both. */
export interface Clock {
  /** The time for what is stored or shown, and for comparing it with stored times. The difference of two of them is no duration. */
  now(): Date;
  /**
   * Milliseconds since a moment in the past: every duration within this process is a difference of two of these. It goes on evenly
   * when the clock of the host is set.
   */
  monotonicMs(): number;
  /** Calls back once after `ms`. The returned function cancels. */
  after(ms: number, callback: () => void): () => void;
  /** Uniform in [0, 1). */
  random(): number;
}

/** Runs the processor once and returns what the end of the run means. Never rejects. */
export type RunRequest = (run: Run) => Promise<Outcome>;

/** What is known about a request before its next run. `interrupted`: an earlier owner claimed it, and its run did not end. */
export type NextRun = EntryId & { limits: RunLimits; interruptions: number; interrupted: boolean };

/**
 * Where the next run of a request happens. `here`: in this process, for at most `timeoutMs`; 0 means no timeout. `isolated`: in
 * another process, beside other runs. `alone`: in another process, beside none. Both processes are ended when a run goes on for too
 * long. With a `timeoutMs`, there is no other process: such a run is in this one. `dead-letter`: it must not run again.
 */
export type RunPlan =
  | { kind: 'here'; timeoutMs: number }
  | { kind: 'isolated' | 'alone'; timeoutMs?: number }
  | { kind: 'dead-letter'; outcome: DeadLetterOutcome };

/**
 * Which trace a run belongs to. `traceparent`: what the ledger says of its request. Asked once for each run, before it begins; `runEnded`
 * gets the answer.
 */
export type TraceRun = (run: EntryId & { user: string; attempt: number; traceparent?: string }) => RunTrace | undefined;

/** Decides about the next run of a request. Asked before its claim. */
export type PlanRun = (next: NextRun) => RunPlan;

export const laneReleaseReasons = ['handed-over', 'lost', 'stopped'] as const;
export type LaneReleaseReason = (typeof laneReleaseReasons)[number];

/** How a run ended, as its lane reports it. */
export const runOutcomes = ['done', 'retry', 'failed', 'blocked', 'aborted'] as const;

/** What a worker's lanes report, for metrics, logs and recorded histories. Must not throw. */
export interface LaneObserver {
  laneTaken(event: { lane: number; fencingToken: number; users: number; at: Date }): void;
  laneReleased(event: { lane: number; reason: LaneReleaseReason; at: Date }): void;
  runStarted(
    event: EntryId & {
      user: string;
      attempt: number;
      fencingToken: number;
      trace?: RunTrace;
      acceptedAt: Date;
      at: Date;
    },
  ): void;
  /** `aborted`: the lane was lost or the worker stopped. The outcome is not recorded, unless it was a success in time. */
  runEnded(
    event: EntryId & {
      user: string;
      attempt: number;
      fencingToken: number;
      trace?: RunTrace;
      outcome: Outcome['kind'] | 'aborted';
      /** The class of the error. */
      error?: string;
      at: Date;
    },
  ): void;
  /** The run goes on `graceMs` after its signal aborted: it has ignored its signal. It holds no slot, only its user. */
  runUnresponsive(event: EntryId & { attempt: number; timeoutMs: number; at: Date }): void;
  /** An operator has ended the run: its signal has aborted. */
  runAskedToEnd(event: EntryId & { attempt: number; at: Date }): void;
  /** This worker recorded the outcome in the ledger. */
  settled(
    event: EntryId & { status: SettledStatus; fencingToken: number; trace?: RunTrace; acceptedAt: Date; at: Date },
  ): void;
  /** This worker recorded the dead letter in the ledger. Follows `settled` where `status` is `failed`. */
  deadLettered(
    event: EntryId & {
      status: 'failed' | 'blocked';
      reason: DeadLetterReason;
      fencingToken: number;
      trace?: RunTrace;
      at: Date;
    },
  ): void;
  /** A sweep found this many users without progress and woke their lanes. */
  swept(event: { stuck: number; at: Date }): void;
}
