/** The WebSocket connections of this process. */
import type { WebSocket } from 'ws';
import type { Config } from '../../config.ts';
import type { Connection, Connections } from '../../connection.ts';
import type { FeedStream } from '../../ports.ts';
import { TooManyConnectionsError } from '../../websocket/errors.ts';
import { endedFrame, eventFrame } from '../../websocket/frame.ts';
import { closeCodes, type Line, sendFrame } from './frames.ts';

export type Entry = {
  connection: Connection;
  /** Absent during the handshake. */
  ws?: WebSocket;
  line?: Line;
  /** A ping is on its way, and no pong has come. */
  isPinged: boolean;
  /** When the next ping is due, and when its session was last extended; monotonic. */
  pingAt: number;
  extendedAt: number;
  /** It has shown that it is alive since then. */
  isAlive: boolean;
  /** It is closed once the answer under way is sent. */
  closing?: Closing;
  /** Ends its subscription. */
  events?: AbortController;
};

type Closing = { code: number; reason: string };

const sessionEnded = { code: closeCodes.sessionEnded, reason: 'The session has ended.' };

const opened = (connection: Connection, { websocketPingMs }: Pick<Config, 'websocketPingMs'>): Entry => ({
  connection,
  isPinged: false,
  pingAt: performance.now() + websocketPingMs,
  extendedAt: performance.now(),
  isAlive: false,
});

/** Lets the message that is answered now end, and answers no other. */
export const closeGently = (entry: Entry, closing: Closing = sessionEnded): void => {
  entry.closing ??= closing;
  if (!entry.line?.isAnswering()) entry.ws?.close(entry.closing.code, entry.closing.reason);
};

/** Each event is read when the one before it was taken. Does not reject: a stream that fails ends. */
const sendEvents = async (entry: Entry, stream: FeedStream, signal: AbortSignal): Promise<void> => {
  const { ws } = entry;
  if (!ws) return;
  try {
    for await (const event of stream) await sendFrame(ws, eventFrame(event));
  } catch {
    // MongoDB's store was closed: this process stops.
  }
  if (stream.ended === 'session') closeGently(entry);
  else if (!signal.aborted) await sendFrame(ws, endedFrame);
};

export type Registry = { entries: Map<string, Entry>; connections: Connections };

/** What the functions know of the connections, and all that is kept of each. */
export const createRegistry = (config: Pick<Config, 'websocketPingMs' | 'maxUserWebsockets'>): Registry => {
  const entries = new Map<string, Entry>();

  /** Those with a session are counted in MongoDB. */
  const watchers = (userId: string): number =>
    [...entries.values()].filter(({ connection }) => connection.userId === userId && !connection.login).length;

  return {
    entries,
    connections: {
      add: async (connection) => {
        if (!connection.login && watchers(connection.userId) >= config.maxUserWebsockets)
          throw new TooManyConnectionsError(config.maxUserWebsockets);
        entries.set(connection.id, opened(connection, config));
      },
      find: async (id) => entries.get(id)?.connection,
      remove: async (id) => {
        entries.delete(id);
      },
      // Pings of the gateway extend the session.
      alive: async () => undefined,
      subscribe: async ({ id }, _subscription, open) => {
        const entry = entries.get(id);
        if (!entry) return;
        const stop = new AbortController();
        const stream = await open(stop.signal);
        entry.events?.abort();
        entry.events = stop;
        void sendEvents(entry, stream, stop.signal);
      },
      unsubscribe: async ({ id }) => entries.get(id)?.events?.abort(),
      ended: async ({ id }) => {
        const entry = entries.get(id);
        if (entry) entry.closing ??= sessionEnded;
      },
    },
  };
};
