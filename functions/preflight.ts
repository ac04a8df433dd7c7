import { functionDeps } from '../lib/compose/functions.ts';
import { corsPreflightHeaders } from '../lib/http/cors.ts';
import { httpFunction } from '../lib/http/http-function.ts';

/** `OPTIONS` of any path: a browser asks whether a web page of another origin may call (`CORS_ORIGINS`). */
export const handler = httpFunction(functionDeps).handler(async ({ deps, headers }) => ({
  statusCode: 204,
  headers: corsPreflightHeaders(deps.config, headers.origin),
}));
