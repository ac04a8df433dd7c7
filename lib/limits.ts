/** Sizes and ranges that more than one part of the product must agree on. */

const kib = 1_024;

/** A request and a result, as JSON text in UTF-8: each travels in one RabbitMQ message and one MongoDB document. */
export const maxRequestBytes = 256 * kib;
export const maxResultBytes = 256 * kib;

/**
 * A larger body travels to the worker in the ledger alone: a worker gets the messages of all its users at once, whether it has room
 * or not.
 */
export const maxMessageBodyBytes = 16 * kib;

/** As many as one ticket is for. */
export const maxRequestsPerCall = 100;

const dayMs = 86_400_000;

/** A use of an API key is recorded at most this often, so that a call costs no write. */
export const keyUseMs = 60_000;

/** Attempts and times of a run, wherever they come from: the environment, a processor's policy, or the request. */
export const attemptsRange = { min: 1, max: 1_000 } as const;
/** 0, in the environment and in a policy only, means no timeout. */
export const runTimeoutRange = { min: 0, max: dayMs } as const;
export const retryBaseRange = { min: 1, max: 3_600_000 } as const;
export const retryMaxRange = { min: 1, max: dayMs } as const;
export const retryAfterMaxRange = { min: 1, max: 30 * dayMs } as const;

/** At least this many isolated runs share a process, so that a few that hang leave room for the others. */
const minRunsTogether = 16;

/**
 * What `isolatedProcesses` gives a worker. Half of the processes, rounded up, are shared by `runsTogether` runs at most, so that all
 * runs that a crash interrupted can go on at once, in `places`. The `lone` others do one run each.
 */
export const isolationSizes = (limits: { concurrency: number; isolatedProcesses: number }) => {
  const shared = Math.ceil(limits.isolatedProcesses / 2);
  const runsTogether = Math.max(minRunsTogether, Math.ceil(limits.concurrency / shared));
  return { shared, lone: limits.isolatedProcesses - shared, runsTogether, places: shared * runsTogether };
};

/** Time after `graceMs` in which a worker aborts its runs, closes connections and exits, before it is killed. */
export const exitMarginMs = 3_000;

/** Characters of the secret that signs tokens. HS256 is as strong as its key, and RFC 7518 asks for 256 bits. */
export const minTokenSecretLength = 32;
