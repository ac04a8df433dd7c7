import { fileURLToPath } from 'node:url';
import { closeFunctionDeps, functionDeps } from '../lib/compose/functions.ts';
import { runApi } from '../lib/gateway/run-api.ts';
import { startOrExit } from '../lib/start-or-exit.ts';

/** The HTTP API as a server of its own, for containers: our gateway in the place of API Gateway. */
await startOrExit(() => runApi(fileURLToPath(import.meta.url), { functionDeps, closeFunctionDeps }));
