import type { FeedEvent } from '../ports.ts';

/** An event as a frame. */
export const eventFrame = ({ id, type, json }: FeedEvent): string => {
  const named = id === undefined ? '' : `"id":${JSON.stringify(id)},`;
  return `{"event":{${named}"type":"${type}",${json.slice(1)}}`;
};

/** The subscription has ended, other than by the client: it may subscribe again, behind the last event that it got. */
export const endedFrame = '{"event":{"type":"ended"}}';
