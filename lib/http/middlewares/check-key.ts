import { InsufficientScopeError, KeyNotAcceptedError } from '../../accounts/errors.ts';
import type { KeyScope } from '../../key-scopes.ts';
import type { Middleware } from '../call.ts';
import { InvalidRequestError } from '../errors.ts';
import { isAsOperator, referenceOf } from '../user-route.ts';

/** See `httpFunction`. */
export type CallAccess = {
  identity?: 'token' | 'session' | 'operator';
  forUsers?: { scope: KeyScope; operators?: true };
};

/**
 * Checks that the key of the call has the scope that the call needs, before a body costs anything. Calls with a token pass; the
 * middlewares behind check them.
 *
 * @throws {KeyNotAcceptedError} {InsufficientScopeError} 403; {InvalidRequestError} 400 for `as=operator` where no operator may call
 */
export const checkKey = ({ identity, forUsers }: CallAccess): Middleware => ({
  before: ({ event }) => {
    const asOperator = isAsOperator(event);
    if (asOperator && !forUsers?.operators && identity !== 'operator')
      throw new InvalidRequestError('query.as: this call has no `as=operator`');
    if (!event.apiKey) return;
    const scope = asOperator || identity === 'operator' ? 'operate' : forUsers?.scope;
    const isOwn = identity !== 'operator' && referenceOf(event) === undefined;
    if (scope === undefined || isOwn) throw new KeyNotAcceptedError();
    if (!event.apiKey.scopes.includes(scope)) throw new InsufficientScopeError(scope, event.apiKey.scopes);
  },
});
