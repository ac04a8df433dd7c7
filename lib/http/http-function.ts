import middy from '@middy/core';
import type { FunctionDeps } from '../deps.ts';
import type { Call, Reply } from './call.ts';
import { authenticate } from './middlewares/authenticate.ts';
import { callLog } from './middlewares/call-log.ts';
import { type BodyRules, jsonBody } from './middlewares/json-body.ts';
import { liveSession } from './middlewares/live-session.ts';
import { operator } from './middlewares/operator.ts';
import { problemJson } from './middlewares/problem-json.ts';
import { withDeps } from './middlewares/with-deps.ts';

/**
 * What every HTTP function is wrapped in. `identity`: a valid `token` is enough, or its `session` must live too, or its
 * account must be an `operator`'s besides; left out, anybody may call.
 */
export const httpFunction = (
  deps: () => Promise<FunctionDeps>,
  { body, identity }: { body?: BodyRules; identity?: 'token' | 'session' | 'operator' } = {},
) =>
  middy<Call, Reply>().use([
    callLog(),
    problemJson(),
    withDeps(deps),
    ...(body ? [jsonBody(body)] : []),
    ...(identity ? [authenticate()] : []),
    ...(identity === 'session' || identity === 'operator' ? [liveSession()] : []),
    ...(identity === 'operator' ? [operator()] : []),
  ]);
