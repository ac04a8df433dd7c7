import type { Call, Middleware } from '../call.ts';
import { BadEventError } from '../errors.ts';

type Unchecked = {
  version?: unknown;
  routeKey?: unknown;
  rawPath?: unknown;
  requestContext?: { http?: { method?: unknown } };
};

const isText = (value: unknown): boolean => typeof value === 'string';

/**
 * Lets only events of an HTTP API with payload 2.0 pass. A REST API, payload 1.0 and a load balancer name the same things otherwise:
 * without this check they would look like calls without a token.
 *
 * @throws {BadEventError} 500
 */
export const checkEvent = (): Middleware => ({
  before: (request) => {
    const event: unknown = request.event;
    const { version, routeKey, rawPath, requestContext } = Object(event) as Unchecked;
    const named = [routeKey, rawPath, requestContext?.http?.method];
    if (version !== '2.0' || !named.every(isText)) throw new BadEventError(version);
    // Absent in an event that somebody wrote by hand.
    (event as Call).headers ??= {};
  },
});
