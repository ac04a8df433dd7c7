import type { Deps } from '../deps.ts';
import { NotAnOperatorError } from './errors.ts';

/**
 * Checks that the account has the operator role. The role is read at each call and is not part of the token, so that an
 * account that loses the role loses its rights at once.
 *
 * @throws {NotAnOperatorError} 403
 */
export const checkOperatorRole = async (userId: string, { accounts }: Pick<Deps, 'accounts'>): Promise<void> => {
  if ((await accounts.find(userId))?.role !== 'operator') throw new NotAnOperatorError();
};
