import { streamed } from '../lib/http/lambda-streams.ts';
import { handler as events } from './events.ts';
import { handler as preflight } from './preflight.ts';

/** The URL of this function on AWS: `GET /events` as a stream, which an HTTP API cannot send. */
export const handler = streamed({ 'GET /events': events, OPTIONS: preflight });
