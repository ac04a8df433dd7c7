import { checkOperatorRole } from '../../accounts/operator-role.ts';
import type { Middleware } from '../call.ts';

/**
 * Lets only operators pass. A key may make the call if it has the scope: `checkKey` has seen to that.
 *
 * @throws {NotAnOperatorError} 403
 */
export const requireOperator = (): Middleware => ({
  before: async ({ event }) => {
    if (!event.apiKey) await checkOperatorRole(event.identity.userId, event.deps);
  },
});
