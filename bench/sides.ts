/** What one contender of the benchmark is: a client that sends jobs, and workers that run them, each in a process of its own. */

/** Where the servers of a trial are, and what the contender may call its own there. */
export type Place = {
  rabbitmqUrl: string;
  mongodbUrl: string;
  redisUrl: string;
  postgresUrl: string;
  /** Unique to this trial: for queues, databases and schemas. */
  name: string;
  users: number;
  /** Users of Lanekeeper who send nothing: their documents are there. */
  idleUsers: number;
  workers: number;
  /** The checkout that is measured, where the contender is Lanekeeper. */
  checkout: string;
  /** Of Lanekeeper's API, where it is used. */
  apiUrl: string;
};

/** `n` counts the jobs of one user, from 0. The run takes `holdMs`; one that is held lasts until the benchmark releases it. */
export type Job = { user: number; n: number; holdMs?: number; isHeld?: boolean };

export type Client = {
  /** Resolves when the job is accepted: as durably as this contender can. */
  send(job: Job): Promise<void>;
  /** How many jobs are not settled. Only where the last run is long before the last settlement. */
  unsettled?(): Promise<number>;
  /** Closes the connections, and removes this trial's keys or tables: all trials share one Redis and one PostgreSQL. */
  close(): Promise<void>;
};

export type Worker = { close(): Promise<void> };

/** Rejects never: a run of the benchmark cannot fail. */
export type Work = (job: Job) => Promise<void>;

/** What a module in `own` or `peers` exports. The client is opened, with all that the users need, before the workers. */
export type Contender = {
  openClient(place: Place): Promise<Client>;
  openWorker?(place: Place, index: number, work: Work): Promise<Worker>;
};

/** Milliseconds of the system's monotonic clock, which all processes of a machine share. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;
