import { requireOperator } from '../accounts/operator.ts';
import type { Step } from './call.ts';

/** @throws {NotAnOperatorError} 403 */
export const operator = (): Step => ({
  before: ({ event }) => requireOperator(event.identity.userId, event.deps),
});
