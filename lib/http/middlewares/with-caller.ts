import { KeyRequiredError } from '../../accounts/errors.ts';
import { callerFor } from '../../references.ts';
import { findUser } from '../../requests/find-user.ts';
import type { Middleware } from '../call.ts';
import { isAsOperator, referenceOf } from '../user-route.ts';
import type { CallAccess } from './check-key.ts';
import { checkOperator } from './require-operator.ts';

/**
 * Finds out whose requests the call is about. Needs what the middlewares before have set: `identity` or a key that may make the call.
 *
 * @throws {KeyRequiredError} 403; {InvalidReferenceError} 400; with `?as=operator` also {SessionEndedError} 401, {NotAnOperatorError} 403,
 *   {NoSuchUserError} 404, {AmbiguousUserError} 409
 */
export const withCaller = ({ identity }: CallAccess): Middleware => ({
  before: async ({ event }) => {
    const reference = referenceOf(event);
    if (reference === undefined) event.caller = event.identity;
    else if (identity === 'operator' || isAsOperator(event)) {
      // `requireOperator` has checked the caller of an operators' function.
      if (identity !== 'operator') await checkOperator(event);
      event.caller = { userId: await findUser(reference, event.deps), sessionId: undefined };
    } else if (event.apiKey) event.caller = callerFor(reference);
    else throw new KeyRequiredError();
  },
});
