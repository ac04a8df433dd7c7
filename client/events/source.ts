/** One connection over which events come, by whichever transport. */
import type { LaneEvent, StateEventType } from '../types.ts';

/** What a connection brings: an event, a cursor, or both. `isLast`: nothing more comes, and the client may ask again at once. */
export type Incoming<Event = LaneEvent> = { id?: string; event?: Event; isLast?: true };

/** `cursor`: what the client knows already. */
export type OpenSource<Event = LaneEvent> = (query: {
  cursor: string;
  signal: AbortSignal;
}) => AsyncGenerator<Incoming<Event>>;

/** @param data what the API sends with the type. Each event of a request carries its whole state, whatever its type. */
export const eventOf = (type: string, id: string | undefined, data: object): LaneEvent | undefined => {
  const { queue, request } = data as { queue?: never; request?: never };
  if (type === 'queue' && queue) return { type, queue };
  return request && id ? { type: type as StateEventType, id, request } : undefined;
};

export class TimedOut extends Error {
  override name = 'TimedOut';
}

/** @throws {TimedOut} after so long. The promise itself goes on. */
export const within = async <T>(promise: Promise<T>, ms: number, what: string): Promise<T> => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TimedOut(`${what} for ${ms / 1_000} s.`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
};
