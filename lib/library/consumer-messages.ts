/** What a process of the library's caller and the primary that it has started tell each other. */

/** From the primary: a worker runs. */
export const runningReport = { lanekeeper: 'running' };

/** To the primary: drain and exit. It may come more than once, and beside a signal. */
export const drainOrder = { lanekeeper: 'drain' };

const kindOf = (message: unknown): unknown => (message as { lanekeeper?: unknown } | null)?.lanekeeper;

export const isRunningReport = (message: unknown): boolean => kindOf(message) === runningReport.lanekeeper;
export const isDrainOrder = (message: unknown): boolean => kindOf(message) === drainOrder.lanekeeper;
