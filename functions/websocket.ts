import { functionDeps } from '../lib/compose/functions.ts';
import { websocketFunction } from '../lib/websocket/websocket-function.ts';

/** `$connect`, `$default` and `$disconnect` of the WebSocket API: opens a connection, answers its messages, and ends its session. */
export const handler = websocketFunction(functionDeps);
