/** What the primary decides about its workers: pure functions over plain numbers. All times are in ms. */

const firstRestartMs = 200;
const longestRestartMs = 15_000;
/** A worker that lived this long was healthy: what ends it then is a new fault, not the old one again. */
const healthyAfterMs = 30_000;

const longestReportMs = 1_000;
const shortestReportMs = 20;
const reportsPerHangTime = 8;

/** Failures in a row, once a worker has died that lived for `livedMs`. */
export const failuresInRow = (before: number, livedMs: number): number => (livedMs >= healthyAfterMs ? 1 : before + 1);

/** How long to wait before a dead worker is started again: doubles with every failure in a row. */
export const restartDelayMs = (failures: number): number =>
  Math.min(firstRestartMs * 2 ** (failures - 1), longestRestartMs);

/** How often a worker reports, and the primary looks at its workers. */
export const reportEveryMs = (workerHangMs: number): number =>
  Math.min(longestReportMs, Math.max(shortestReportMs, Math.floor(workerHangMs / reportsPerHangTime)));

/**
 * How long a worker has been silent, as far as the primary can know. A primary that was itself stopped, or starved of its
 * processor, was deaf for that time: one step counts for half of the limit at most, so reports that wait are heard before it judges.
 */
export const silenceAfter = (silentMs: number, sinceLastLookMs: number, workerHangMs: number): number =>
  silentMs + Math.min(sinceLastLookMs, workerHangMs / 2);

export type Silence = { silentMs: number; heardOnce: boolean; workerHangMs: number; startTimeoutMs: number };

/** `never-came-up`: started, and not one report since. */
export const classifySilence = (silence: Silence): 'alive' | 'hung' | 'never-came-up' => {
  if (silence.heardOnce) return silence.silentMs > silence.workerHangMs ? 'hung' : 'alive';
  return silence.silentMs > Math.max(silence.startTimeoutMs, silence.workerHangMs) ? 'never-came-up' : 'alive';
};

/** One Ctrl-C can arrive twice, from the terminal and from npm. */
const sameSignalMs = 300;

/** What a SIGTERM or SIGINT means; `drainingForMs` is `undefined` for the first. */
export const decideOnSignal = (drainingForMs: number | undefined): 'drain' | 'ignore' | 'end-now' => {
  if (drainingForMs === undefined) return 'drain';
  return drainingForMs < sameSignalMs ? 'ignore' : 'end-now';
};
