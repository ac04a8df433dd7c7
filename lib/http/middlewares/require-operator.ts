import { checkOperatorRole } from '../../accounts/operator-role.ts';
import type { Middleware } from '../call.ts';

/**
 * Lets only operators pass.
 *
 * @throws {NotAnOperatorError} 403
 */
export const requireOperator = (): Middleware => ({
  before: ({ event }) => checkOperatorRole(event.identity.userId, event.deps),
});
