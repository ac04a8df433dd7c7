import type { Request } from '@middy/core';
import type { Call, Middleware, Reply } from '../call.ts';
import { corsHeaders } from '../cors.ts';

/** Lets web pages of the allowed origins read the answer, also when it is an error. */
export const cors = (): Middleware => {
  const allow = ({ event, response }: Request<Call, Reply>): void => {
    // An event that is refused may have anything, or nothing.
    if (!response || !event?.deps) return;
    const { vary: own, ...headers } = response.headers ?? {};
    const { vary, ...allowed } = corsHeaders(event.deps.config, event.headers?.origin);
    const both = [own, vary].filter((name) => name !== undefined).join(', ');
    response.headers = { ...headers, ...allowed, ...(both !== '' && { vary: both }) };
  };
  return { after: allow, onError: allow };
};
