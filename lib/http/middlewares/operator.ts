import { requireOperator } from '../../accounts/operator.ts';
import type { Middleware } from '../call.ts';

/** @throws {NotAnOperatorError} 403 */
export const operator = (): Middleware => ({
  before: ({ event }) => requireOperator(event.identity.userId, event.deps),
});
