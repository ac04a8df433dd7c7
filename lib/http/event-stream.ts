/** Events as the answer to a call: a stream of Server-Sent Events, or one page of JSON. */
import type { FunctionConfig } from '../config.ts';
import type { EventEntry, FeedEvent, FeedStream } from '../ports.ts';
import type { LedgerEntry } from '../types.ts';
import { type Call, headersOf, jsonTextReply, type Reply } from './call.ts';
import { entryJson } from './entry-json.ts';
import type { EventsInput } from './events-input.ts';
import type { Exposure } from './shown-error.ts';
import { exposureOf, isAsOperator, referenceOf } from './user-route.ts';

export const eventStreamType = 'text/event-stream';

/** A proxy closes a connection on which nothing happens, and a client that hears nothing for longer connects again. */
const heartbeatMs = 15_000;
/** Clients connect again after this time. */
const retryMs = 1_000;

/** A line break in JSON text is white space between two tokens. */
const dataOf = (json: string): string => json.replace(/\r\n?|\n/g, '\ndata: ');

export const sseText = ({ id, type, json }: FeedEvent): string => {
  if (type === 'idle') return ': \n\n';
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${dataOf(json)}\n\n`;
};

/** Ends after a whole event. */
async function* sseOf(stream: AsyncIterable<FeedEvent>): AsyncGenerator<string, void, undefined> {
  yield `retry: ${retryMs}\n\n: \n\n`;
  for await (const event of stream) yield sseText(event);
}

/** The text of a request in an event, as `GET /requests/{seq}` shows it. `folder`: where that call is, with a slash at the end. */
export const showIn =
  (exposure: Exposure, folder = '/requests/') =>
  (entry: EventEntry, settled: number): string => {
    const shown = entryJson(entry as LedgerEntry, settled, exposure);
    const isLeftOut = entry.status === 'done' && entry.result === undefined;
    const url = isLeftOut ? `${shown.slice(0, -1)},"resultUrl":${JSON.stringify(`${folder}${entry.seq}`)}}` : shown;
    return `{"request":${url}}`;
  };

const folderOf = (call: Call): string => {
  const reference = referenceOf(call);
  return reference === undefined ? '/requests/' : `/users/${encodeURIComponent(reference)}/requests/`;
};

export const wantsStream = ({ streams, headers }: Call): boolean =>
  streams === true && (headers.accept ?? '').toLowerCase().includes(eventStreamType);

/** How long a stream may be quiet, and how old it may become. */
export const streamTimes = ({ maxStreamSeconds }: Pick<FunctionConfig, 'maxStreamSeconds'>) => ({
  heartbeatMs,
  maxAgeMs: maxStreamSeconds * 1_000,
});

export const streamReply = (stream: AsyncIterable<FeedEvent>): Reply => ({
  statusCode: 200,
  headers: { ...headersOf(eventStreamType), 'x-accel-buffering': 'no' },
  stream: sseOf(stream),
});

const pageOf = (events: FeedEvent[], stream: FeedStream): string => {
  const shown = events.map(({ id, type, json }) => `{"id":"${id}","type":"${type}",${json.slice(1)}`);
  return `{"events":[${shown.join(',')}],"next":"${stream.cursor}",${stream.queue().slice(1)}`;
};

/** Where the host cannot stream, a page answers a call for a stream too. @throws as `Feed.open` */
export const eventsReply = async (call: Call, { cursor, seq, waitMs }: EventsInput): Promise<Reply> => {
  const { deps, userQueue: queue, identity, apiKey, signal } = call;
  const who = apiKey ? { keyId: apiKey.id } : identity;
  const show = showIn(exposureOf(call), folderOf(call));
  const options = { who, asOperator: isAsOperator(call), queue, cursor, seq, signal, show };
  if (wantsStream(call)) return streamReply(await deps.feed.open({ ...options, ...streamTimes(deps.config) }));
  const stream = await deps.feed.open(waitMs > 0 ? options : { ...options, once: true });
  try {
    return jsonTextReply(200, pageOf(await stream.take(waitMs), stream));
  } finally {
    stream.close();
  }
};
