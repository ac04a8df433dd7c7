import { functionDeps } from '../lib/compose/functions.ts';
import { json } from '../lib/http/call.ts';
import { checkHealth } from '../lib/http/health.ts';
import { httpFunction } from '../lib/http/http-function.ts';

/** `GET /health`: MongoDB and RabbitMQ, each with its latency. */
export const handler = httpFunction(functionDeps).handler(async (call) => {
  const health = await checkHealth(call.deps);
  return json(health.status === 'ok' ? 200 : 503, health);
});
