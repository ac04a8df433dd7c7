import type { LaneEvents } from '../../lib/ports.ts';

/** For tests that open a lane and need none of its events. */
export const ignoredEvents: LaneEvents = {
  baton: () => undefined,
  wake: () => undefined,
  closed: () => undefined,
};
