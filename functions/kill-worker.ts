import { functionDeps } from '../lib/compose/functions.ts';
import { jsonReply } from '../lib/http/call.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { maxTextBytes } from '../lib/http/input.ts';
import { workerIdOf } from '../lib/http/operator-input.ts';
import { killWorker } from '../lib/requests/kill-worker.ts';

/** `POST /try-it/kill-worker {workerId}`: kill -9, for development alone (`infra/try-it.yml`). */
export const handler = httpFunction(functionDeps, {
  json: { maxBytes: maxTextBytes },
  identity: 'operator',
}).handler(async (call) => {
  const operator = { userId: call.identity?.userId, key: call.apiKey?.id };
  return jsonReply(200, await killWorker({ workerId: workerIdOf(call), operator }, call.deps));
});
