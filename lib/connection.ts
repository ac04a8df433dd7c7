/** WebSocket connections as plain data. */
import type { PlaceOwner } from './places.ts';
import type { FeedStream } from './ports/feed.ts';

/** One connection. Its id is that of its session too. */
export type Connection = {
  id: string;
  userId: string;
  /** The lane of the user. */
  lane: number;
  /** The login that opened it. Absent: it has no session of its own. */
  login?: string;
  /** Who asked for the stream token, where it only watches. */
  watcher?: PlaceOwner;
  /** When its token expires: it ends then. */
  endsAt: Date;
};

/** What a connection wants to hear of: every request of its user behind the cursor `after`, or only one. */
export type Subscription = { after?: string; seq?: number };

export type OpenStream = (signal: AbortSignal) => Promise<FeedStream>;

/** Where connections are known: in the process of our gateway, or in MongoDB behind API Gateway. */
export interface Connections {
  add(connection: Connection): Promise<void>;
  find(id: string): Promise<Connection | undefined>;
  /** Idempotent. */
  remove(id: string): Promise<void>;
  /** It has shown that it is alive. Rejects when its session has ended. */
  alive(connection: Connection): Promise<void>;
  /** In the place of the subscription that it had. `open`: for whoever sends the events from here. */
  subscribe(connection: Connection, subscription: Subscription, open: OpenStream): Promise<void>;
  unsubscribe(connection: Connection): Promise<void>;
  /** Its session has ended: it is closed once the answer is sent. */
  ended(connection: Connection): Promise<void>;
}
