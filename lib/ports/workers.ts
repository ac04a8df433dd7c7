/** What workers tell each other through MongoDB. */

/**
 * The lanes that a worker owned at a moment, and the users whose runs there ignored their signal. `away`: it stands by on no lane,
 * because it stops and only waits for its last runs, or because RabbitMQ does not answer it. `gone`: its process has exited, and
 * another worker has written this.
 */
export type Heartbeat = {
  workerId: string;
  lanes: number[];
  unresponsive: string[];
  away?: boolean;
  gone?: boolean;
  /** How often the worker writes. An older version does not say it, and writes every second. */
  beatMs?: number;
  /** How many users of each of its lanes have pending work, in the order of `lanes`. An older version does not say it. */
  busy?: number[];
  /** What this worker last counted for all. */
  statistics?: Statistics;
  /** What its users wait for. An older version does not say it. */
  demand?: Demand;
  /** An older version does not say it. */
  moves?: Moves;
  at: Date;
};

/**
 * Numbers about all users of all consumers, and when they were counted. `stuckUsers`: as `GET /stuck` lists them.
 * `pendingRequests`: accepted and not settled, as far as their owners have flushed; `pendingUsers` have any, and an older version does
 * not count them. The numbers of stuck users and dead letters stop at a limit.
 */
export type Statistics = {
  stuckUsers: number;
  pendingRequests: number;
  pendingUsers?: number;
  deadLetters: number;
  at: Date;
};

/**
 * What the users of one worker wait for. `waitingSince`: when the oldest request was accepted that waits for a slot. `blockedUsers`
 * wait for a person, with all of their `blockedRequests`.
 */
export type Demand = { waitingSince: Date | null; blockedUsers: number; blockedRequests: number };

/**
 * Numbers that differ when something has happened to users of the worker, and when a request of theirs has become a dead letter. They say
 * nothing else: a user that is loaded or not loaded any more changes them too.
 */
export type Moves = { users: number; deadLetters: number };

/** What happened in a minute. `started`: first attempts, and how long each of them waited, as counts in the buckets of wait-buckets.ts. */
export type MinuteCounts = { started: number; done: number; failed: number; waits: number[] };

export type Minute = { at: Date; counts: MinuteCounts };

export interface WorkerStore {
  report(heartbeat: Heartbeat): Promise<void>;
  remove(workerId: string): Promise<void>;
  /** The newest heartbeat of each worker. A worker that has stopped has none; that of a dead one expires after an hour. */
  all(): Promise<Heartbeat[]>;
  /** Adds to what all workers have counted in the minute that begins at `at`. Minutes are kept for two hours. */
  addToMinute(at: Date, counts: MinuteCounts): Promise<void>;
  /** The minutes in which anything happened, oldest first. */
  minutes(since: Date): Promise<Minute[]>;
}
