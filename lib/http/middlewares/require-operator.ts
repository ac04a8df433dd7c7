import { liveUserQueue } from '../../accounts/live-session.ts';
import { checkOperatorRole } from '../../accounts/operator-role.ts';
import type { Call, Middleware } from '../call.ts';

/**
 * Checks that an operator makes the call. A key may make it if it has the scope: `checkKey` has seen to that.
 *
 * @throws {SessionEndedError} 401; {NotAnOperatorError} 403
 */
export const checkOperator = async ({ apiKey, identity, deps }: Call): Promise<void> => {
  if (apiKey) return;
  await liveUserQueue(identity, deps);
  await checkOperatorRole(identity.userId, deps);
};

/** Lets only operators pass. @throws as `checkOperator` */
export const requireOperator = (): Middleware => ({
  before: ({ event }) => checkOperator(event),
});
