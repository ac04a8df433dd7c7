/** Events over HTTP: Server-Sent Events where the host can stream, and otherwise calls that wait. */
import { errorOfAnswer } from '../errors.ts';
import type { Send } from '../send.ts';
import type { LaneEvent } from '../types.ts';
import { readServerSent } from './server-sent.ts';
import { eventOf, type Incoming, type OpenSource, TimedOut, within } from './source.ts';

/** A proxy that keeps answers back shows nothing of a stream for longer than this. */
const firstByteMs = 5_000;
/** The API sends a comment every 15 s. */
const quietMs = 40_000;
const pollSeconds = 20;
/** Then the client tries to stream again. */
const pollForMs = 300_000;

/** Until when a client polls, because streams do not come through. */
export type Polling = { until: number };

type Page = { events: { id: string; type: string }[]; next: string; queue?: object };

/** Reads one event of a stream, or the body of the answer to a call that waits. */
export type Reading<Event> = {
  ofStream(type: string, id: string | undefined, data: object): Event | undefined;
  /** The last one has `isLast`. */
  ofPage(body: unknown): Incoming<Event>[];
};

const ofLanes: Reading<LaneEvent> = {
  ofStream: eventOf,
  ofPage(body) {
    const { events, next, queue } = body as Page;
    return [
      ...events.map(({ id, type, ...data }) => ({ id, event: eventOf(type, id, data) })),
      { id: next, event: queue && eventOf('queue', undefined, { queue }), isLast: true },
    ];
  },
};

async function* eventsIn<Event>({ body }: Response, { ofStream }: Reading<Event>): AsyncGenerator<Incoming<Event>> {
  const times = { firstMs: firstByteMs, quietMs };
  for await (const { id, type, data } of readServerSent(body as ReadableStream<Uint8Array>, times))
    yield { id, event: type && data ? ofStream(type, id, JSON.parse(data)) : undefined };
}

const isStream = ({ headers }: Response): boolean =>
  headers.get('content-type')?.startsWith('text/event-stream') ?? false;

/** @param send with the token, without retries. */
export const streamOrPages = <Event>(
  url: string,
  send: Send,
  polling: Polling,
  reading: Reading<Event>,
): OpenSource<Event> => {
  const ask = async (cursor: string, isPolling: boolean, signal: AbortSignal): Promise<Response> => {
    const query = new URLSearchParams({ after: cursor, ...(isPolling && { wait: String(pollSeconds) }) });
    const headers = { accept: isPolling ? 'application/json' : 'text/event-stream' };
    const response = await send(new Request(`${url}?${query}`, { headers, signal }));
    if (response.ok) return response;
    throw errorOfAnswer(response, await response.json().catch(() => undefined));
  };
  return async function* open({ cursor, signal }) {
    const over = new AbortController();
    const isPolling = Date.now() < polling.until;
    const pollFromNow = (): void => {
      polling.until = Date.now() + pollForMs;
    };
    let isQuiet = !isPolling;
    try {
      const asked = ask(cursor, isPolling, AbortSignal.any([signal, over.signal]));
      const response = await within(asked, isPolling ? quietMs : firstByteMs, 'There was no answer');
      if (!isStream(response)) {
        if (!isPolling) pollFromNow();
        return yield* reading.ofPage(await within(response.json(), quietMs, 'The answer did not end'));
      }
      for await (const incoming of eventsIn(response, reading)) {
        isQuiet = false;
        yield incoming;
      }
    } catch (error) {
      if (isQuiet && error instanceof TimedOut) pollFromNow();
      throw error;
    } finally {
      over.abort();
    }
  };
};

/** The events of a user. */
export const overHttp = (url: string, send: Send, polling: Polling): OpenSource =>
  streamOrPages(`${url}/events`, send, polling, ofLanes);
