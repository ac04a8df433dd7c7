import middy from '@middy/core';
import type { FunctionDeps } from '../deps.ts';
import type { Call, Reply } from './call.ts';
import { authenticateByBody, authenticateByHeader } from './middlewares/authenticate.ts';
import { callLog } from './middlewares/call-log.ts';
import { checkEvent } from './middlewares/check-event.ts';
import { cors } from './middlewares/cors.ts';
import { type JsonRules, parseJson } from './middlewares/parse-json.ts';
import { problemJson } from './middlewares/problem-json.ts';
import { requireOperator } from './middlewares/require-operator.ts';
import { requireSession } from './middlewares/require-session.ts';
import { withDeps } from './middlewares/with-deps.ts';
import { withSignal } from './middlewares/with-signal.ts';

/**
 * The middlewares of every HTTP function.
 *
 * - `json`: the call has an HTTP body, which is JSON.
 * - `identity`: what the caller needs. `token`: a valid token. `session`: also a live session. `operator`: also the operator
 *   role. Without `identity` anybody may call.
 *
 * @returns the function for Middy's `handler`, with `maxBodyBytes`: the gateway reads no larger body for it, and none if it is 0.
 */
export const httpFunction = (
  deps: () => Promise<FunctionDeps>,
  { json, identity }: { json?: JsonRules; identity?: 'token' | 'session' | 'operator' } = {},
) => {
  const middlewares = [
    callLog(),
    cors(),
    problemJson(),
    checkEvent(),
    withDeps(deps),
    withSignal(),
    // An anonymous caller must not cost the parsing of a large body.
    ...(identity ? [authenticateByHeader()] : []),
    ...(json ? [parseJson(json)] : []),
    ...(identity ? [authenticateByBody()] : []),
    ...(identity === 'session' || identity === 'operator' ? [requireSession()] : []),
    ...(identity === 'operator' ? [requireOperator()] : []),
  ];
  return Object.assign(middy<Call, Reply>().use(middlewares), { maxBodyBytes: json?.maxBytes ?? 0 });
};
