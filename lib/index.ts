/**
 * The public entry of Lanekeeper: a user queue for each of your users, in a process of your own. It also exports everything that a
 * processor needs. Light to import: the library itself is loaded by `createLanekeeper`.
 */
import type { Lanekeeper } from './library/lanekeeper.ts';
import type { LanekeeperOptions } from './library/types.ts';

export * from './accounts/errors.ts';
export * from './errors.ts';
export { InvalidRequestError, RequestTooLargeError } from './http/errors.ts';
export { ConsumerFailedError } from './library/consumer-failed.ts';
export type { OperatorCalls } from './library/operator-calls.ts';
export type * from './library/types.ts';
export type { UserCalls } from './library/user-calls.ts';
export * from './processor.ts';
export { InvalidReferenceError, maxReferenceLength } from './references.ts';
export type { QueueAfterDisconnect } from './requests/disconnect.ts';
export * from './requests/errors.ts';
export type { QueueState } from './requests/look-up.ts';
export type { Overview, Waits } from './requests/overview.ts';
export type { Problem, ProblemKind } from './requests/problems.ts';
export type { StuckReason, StuckUser } from './requests/stuck.ts';
export { ProcessorLoadError } from './runs/processor-load-error.ts';
export type { Lanekeeper };

/**
 * Connects to MongoDB and RabbitMQ, and returns everything that the HTTP API can do. RabbitMQ may be away: requests are accepted and run
 * later. Call `close()` at the end, or use `await using`.
 *
 * @example
 * ```ts
 * import { createLanekeeper } from 'lanekeeper';
 *
 * await using lanekeeper = await createLanekeeper({ mongodbUrl, rabbitmqUrl });
 * const { seq } = await lanekeeper.enqueue('auth0|6571', { amount: 5 }, { key: 'order-17' });
 * const { status, result } = await lanekeeper.result('auth0|6571', seq, { waitMs: 20_000 });
 * ```
 * @throws {ConfigError} an option is invalid; {StoreUnavailableError} MongoDB does not answer; {NotMigratedError} its indexes are missing:
 *   run `lanekeeper migrate`, or set `autoMigrate: 1`
 */
export const createLanekeeper = async (options: LanekeeperOptions = {}): Promise<Lanekeeper> => {
  const { openLanekeeper } = await import('./library/lanekeeper.ts');
  return openLanekeeper(options);
};
