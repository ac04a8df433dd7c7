/** The heartbeat of workers in MongoDB, in ms. */

/** How often a worker writes down which lanes it owns. */
export const heartbeatEveryMs = 1_000;
/** A worker counts as silent after this long: one or two heartbeats may be late. */
export const heartbeatValidMs = 3 * heartbeatEveryMs;
