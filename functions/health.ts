import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';

/** `GET /health`: whether MongoDB and RabbitMQ answer, and how fast. */
export const handler = httpFunction(functionDeps).handler(async (call) => {
  const health = await call.deps.health();
  return jsonReply(health.status === 'ok' ? 200 : 503, health);
});
