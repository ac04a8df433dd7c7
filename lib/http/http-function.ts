import middy from '@middy/core';
import type { FunctionDeps } from '../deps.ts';
import { authenticate } from './authenticate.ts';
import type { Call, Reply } from './call.ts';
import { type BodyRules, jsonBody } from './json-body.ts';
import { liveSession } from './live-session.ts';
import { operator } from './operator.ts';
import { problemJson } from './problem-json.ts';
import { requestLog } from './request-log.ts';
import { withDeps } from './with-deps.ts';

/**
 * What every HTTP function is wrapped in. `identity`: a valid `token` is enough, or its `session` must live too, or its
 * account must be an `operator`'s besides; left out, anybody may call.
 */
export const httpFunction = (
  deps: () => Promise<FunctionDeps>,
  { body, identity }: { body?: BodyRules; identity?: 'token' | 'session' | 'operator' } = {},
) =>
  middy<Call, Reply>().use([
    requestLog(),
    problemJson(),
    withDeps(deps),
    ...(body ? [jsonBody(body)] : []),
    ...(identity ? [authenticate()] : []),
    ...(identity === 'session' || identity === 'operator' ? [liveSession()] : []),
    ...(identity === 'operator' ? [operator()] : []),
  ]);
