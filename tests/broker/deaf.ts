import type { LaneEvents } from '../../lib/ports.ts';

/** For who wants a channel, and nothing that comes by it. */
export const deaf: LaneEvents = {
  baton: () => undefined,
  wake: () => undefined,
  request: () => undefined,
  userQueueCancelled: () => undefined,
  closed: () => undefined,
};
