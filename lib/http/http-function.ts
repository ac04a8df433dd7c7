import middy from '@middy/core';
import type { FunctionDeps } from '../deps.ts';
import type { Call, Reply } from './call.ts';
import { admitWatcher, unlessAdmitted } from './middlewares/admit-watcher.ts';
import { authenticateByBody, authenticateByHeader } from './middlewares/authenticate.ts';
import { callLog } from './middlewares/call-log.ts';
import { checkEvent } from './middlewares/check-event.ts';
import { type CallAccess, checkKey } from './middlewares/check-key.ts';
import { cors } from './middlewares/cors.ts';
import { type JsonRules, parseJson } from './middlewares/parse-json.ts';
import { problemJson } from './middlewares/problem-json.ts';
import { requireOperator } from './middlewares/require-operator.ts';
import { requireSession } from './middlewares/require-session.ts';
import { traceCall } from './middlewares/trace-call.ts';
import { withCaller } from './middlewares/with-caller.ts';
import { withDeps } from './middlewares/with-deps.ts';
import { withSignal } from './middlewares/with-signal.ts';

/**
 * The middlewares of every HTTP function.
 *
 * - `json`: the call has an HTTP body, which is JSON.
 * - `identity`: what the caller needs. `token`: a valid token. `session`: also a live session. `operator`: also the operator
 *   role, or an API key with the scope `operate`. Without `identity` anybody may call.
 * - `forUsers`: the function also serves a route `/users/{ref}/…`. There the caller needs an API key with this `scope`. With `operators`
 *   and `?as=operator` it needs what an operator's call needs, and `{ref}` may be a user name or an id as well.
 * - `streamTokens`: a token of `POST /stream-token` in the query is enough.
 *
 * @returns the function for Middy's `handler`, with `maxBodyBytes`: the gateway reads no larger body for it, and none if it is 0.
 */
export const httpFunction = (
  deps: () => Promise<FunctionDeps>,
  { json, streamTokens, ...access }: { json?: JsonRules; streamTokens?: true } & CallAccess = {},
) => {
  const { identity } = access;
  const ofIdentity = [
    // An anonymous caller must not cost the parsing of a large body.
    ...(identity ? [authenticateByHeader(), checkKey(access)] : []),
    ...(json ? [parseJson(json)] : []),
    ...(identity ? [authenticateByBody()] : []),
    ...(identity === 'operator' ? [requireOperator()] : []),
    ...(identity ? [withCaller(access)] : []),
    ...(identity === 'session' ? [requireSession()] : []),
  ];
  const middlewares = [
    callLog(),
    cors(),
    problemJson(),
    checkEvent(),
    withDeps(deps),
    traceCall(),
    withSignal(),
    ...(streamTokens ? [admitWatcher(), ...ofIdentity.map(unlessAdmitted)] : ofIdentity),
  ];
  return Object.assign(middy<Call, Reply>().use(middlewares), { maxBodyBytes: json?.maxBytes ?? 0 });
};
