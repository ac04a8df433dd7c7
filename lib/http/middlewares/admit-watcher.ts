import { InvalidTokenError } from '../../accounts/errors.ts';
import { admitStream, verifyStreamToken } from '../../accounts/stream-tokens.ts';
import { userIdOf } from '../../references.ts';
import { userQueueOf } from '../../requests/user-queue.ts';
import type { Call, Middleware } from '../call.ts';
import { InvalidRequestError } from '../errors.ts';
import { isAsOperator, referenceOf } from '../user-route.ts';

const admit = async (event: Call, token: string): Promise<void> => {
  const { deps } = event;
  await deps.timeKnown();
  const holder = verifyStreamToken(token, deps.tokenSecrets, deps.clock.now());
  const reference = referenceOf(event);
  if (reference !== undefined && userIdOf(reference) !== holder.userId)
    throw new InvalidTokenError('`token` is for the events of another user.', 'invalid-token');
  if (isAsOperator(event)) throw new InvalidRequestError('query.as: a stream token watches its own user');
  const { queue, apiKey } = await admitStream(holder, deps);
  if (holder.sessionId !== undefined) event.identity = holder;
  event.apiKey = apiKey;
  event.caller = { userId: holder.userId, sessionId: holder.sessionId };
  event.userQueue = queue ?? (await userQueueOf(holder.userId, deps));
  event.isAdmitted = true;
};

/**
 * Lets a call with a stream token in its query pass, in the place of the middlewares that are `unlessAdmitted`. The header `Authorization`
 * goes before the token.
 *
 * @throws {InvalidTokenError} {SessionEndedError} {InvalidKeyError} 401; {InvalidRequestError} 400
 */
export const admitWatcher = (): Middleware => ({
  before: async ({ event }) => {
    event.isAdmitted = false;
    const token = event.queryStringParameters?.token;
    if (token !== undefined && event.headers.authorization === undefined) await admit(event, token);
  },
});

export const unlessAdmitted = ({ before }: Middleware): Middleware => ({
  before: (request) => (request.event.isAdmitted ? undefined : before?.(request)),
});
