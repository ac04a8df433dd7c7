import type { Connection } from '../connection.ts';
import type { PlaceOwner } from '../places.ts';

/** Whose streams the events of a connection count among, and with whose end they end. */
export const whoOf = ({ id, userId, watcher }: Pick<Connection, 'id' | 'userId' | 'watcher'>): PlaceOwner =>
  watcher ?? { userId, sessionId: id };
