/** How far a queue has come, as the caller may see it. */
import type { QueueState } from '../requests/look-up.ts';
import { type Call, jsonReply, type Reply } from './call.ts';
import { shownError } from './shown-error.ts';
import { exposureOf } from './user-route.ts';

/** `state`: also one that says more, such as that of a whole user. */
export const queueReply = (call: Call, { error, ...state }: QueueState): Reply =>
  jsonReply(200, { ...state, error: error && shownError(error, exposureOf(call)) });
