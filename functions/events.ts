import { functionDeps } from '../lib/compose/functions.ts';
import { eventsReply } from '../lib/http/event-stream.ts';
import { eventsInputOf } from '../lib/http/events-input.ts';
import { httpFunction } from '../lib/http/http-function.ts';

/** `GET /events` and `GET /users/{ref}/events`: what happens to the user's requests, as a stream or as a page after `?wait=seconds`. */
export const handler = httpFunction(functionDeps, {
  identity: 'session',
  forUsers: { scope: 'read', operators: true },
  streamTokens: true,
}).handler((call) => eventsReply(call, eventsInputOf(call)));
