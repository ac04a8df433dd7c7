/** Decisions about child processes: pure functions over plain numbers. All times are in ms. */

const firstRestartMs = 200;
const longestRestartMs = 15_000;
/** A worker that lived this long was healthy: a later death counts as the first of a new series. */
const healthyAfterMs = 30_000;

const longestReportMs = 1_000;
const shortestReportMs = 20;
const reportsPerHangTime = 8;

/** Failures in a row, once a worker has died after `livedMs`. */
export const failuresInRow = (before: number, livedMs: number): number => (livedMs >= healthyAfterMs ? 1 : before + 1);

/** The pause before a dead worker is started again. It doubles with every failure in a row. */
export const restartDelayMs = (failures: number): number =>
  Math.min(firstRestartMs * 2 ** (failures - 1), longestRestartMs);

/** How often a child process reports, and how often its supervisor checks for silence. */
export const reportEveryMs = (workerHangMs: number): number =>
  Math.min(longestReportMs, Math.max(shortestReportMs, Math.floor(workerHangMs / reportsPerHangTime)));

/**
 * How long a child has been silent, or has been starting, as far as the supervisor can know. A supervisor that was itself stopped, or
 * starved of CPU, could not hear anything meanwhile: one check adds at most half of the limit, so that waiting reports are heard before
 * it kills.
 */
export const silenceAfter = (silentMs: number, sinceLastCheckMs: number, workerHangMs: number): number =>
  silentMs + Math.min(sinceLastCheckMs, workerHangMs / 2);

/** `isUp`: its modules are loaded. Until then `silentMs` is how long it has been starting: an import may block its event loop. */
export type Silence = { silentMs: number; isUp: boolean; workerHangMs: number; startTimeoutMs: number };

/** `hung`: it has stopped reporting. `never-came-up`: its modules have not loaded in time. */
export type SilenceVerdict = 'alive' | 'hung' | 'never-came-up';

export const classifySilence = ({ silentMs, isUp, workerHangMs, startTimeoutMs }: Silence): SilenceVerdict => {
  if (isUp) return silentMs > workerHangMs ? 'hung' : 'alive';
  return silentMs > startTimeoutMs ? 'never-came-up' : 'alive';
};

/** One Ctrl-C can arrive twice, from the terminal and from npm. */
const sameSignalMs = 300;

/** What a SIGTERM or SIGINT means; `drainingForMs` is `undefined` for the first. */
export const decideOnSignal = (drainingForMs: number | undefined): 'drain' | 'ignore' | 'end-now' => {
  if (drainingForMs === undefined) return 'drain';
  return drainingForMs < sameSignalMs ? 'ignore' : 'end-now';
};
