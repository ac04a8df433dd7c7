import type { Deps } from '../deps.ts';
import { NotAnOperatorError } from './errors.ts';

/**
 * Lets only operators pass. The role is read at each call: a token says who calls, not what they may do, so that a role
 * that was taken away is gone at once.
 *
 * @throws {NotAnOperatorError} 403
 */
export const requireOperator = async (userId: string, { accounts }: Pick<Deps, 'accounts'>): Promise<void> => {
  if ((await accounts.find(userId))?.role !== 'operator') throw new NotAnOperatorError();
};
