import type { Logger } from '../log.ts';
import type { RunPolicy } from './policy.ts';

/** What a processor is told about its run. */
export type ProcessorContext = {
  userId: string;
  /** The place of the request in its user's order. The pair of `userId` and `seq` is the same in every attempt. */
  seq: number;
  /** 1 for the first run. More after a failure, or when an earlier run's worker died. */
  attempt: number;
  /**
   * Never falls from one run of a user to the next, and rises whenever another worker takes over. A store that remembers the
   * highest one it has seen, and refuses lower ones, is safe from a worker that was taken for dead and is not.
   */
  fencingToken: number;
  /**
   * Aborts when this worker has lost the user or must go, and at the run's deadline, with a `RunTimeoutError`: in neither case is
   * the outcome wanted any more. The user's next run waits until the processor has ended.
   */
  signal: AbortSignal;
  logger: Logger;
};

/**
 * User code that does one request. What it returns (JSON, up to 256 KiB) is the result. What it throws is tried again after a
 * while, in place, up to `MAX_ATTEMPTS` times; an `UnrecoverableError` is not. It may run more than once: see `fencingToken`. Its module
 * may export a `policy` (`ProcessorPolicy`) beside it.
 */
export type Processor = (request: unknown, context: ProcessorContext) => unknown | Promise<unknown>;

/** A processor with the policy of its runs: its module's, over the environment's. */
export type LoadedProcessor = { processor: Processor; policy: RunPolicy };
