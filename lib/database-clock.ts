/**
 * The time that all processes share: MongoDB's. Clocks of hosts differ and are set; so a process measures how far MongoDB's clock
 * is from its own monotonic clock, and reads MongoDB's time from that.
 */
import type { Clock } from './ports.ts';

/** Two quartz clocks drift apart by some milliseconds in this time, which no decision notices. */
const refreshMs = 30_000;
/** The answer came so late that the measurement is repeated soon. Half of its trip is how far it may be wrong. */
const longTripMs = 500;
const repeatMs = 1_000;
/**
 * When the host's two clocks moved apart by this much, its clock was set, or the process was suspended without its monotonic
 * clock: only another measurement tells which.
 */
const apartMs = 250;

/**
 * How far the times of two processes may differ: two measurements whose trips took 5 s each, as long as an operation of MongoDB
 * may take by default. On a healthy network the difference is some milliseconds.
 */
export const clockToleranceMs = 5_000;

/** Whether a stored time is later than any process can have written it, unless MongoDB's clock was set back since. */
export const isAhead = (stored: Date, now: Date): boolean => stored.getTime() > now.getTime() + clockToleranceMs;

type Measurement = { databaseAheadMs: number; hostAheadMs: number; takenMs: number; tripMs: number };

/** `clock` is the host's until the first measurement. */
export class DatabaseClock {
  readonly clock: Clock;
  readonly #host: Clock;
  #last: Measurement | undefined;

  constructor(host: Clock) {
    this.#host = host;
    this.clock = { ...host, now: () => this.#now() };
  }

  get isMeasured(): boolean {
    return this.#last !== undefined;
  }

  /** Whether the next operation should measure first. */
  isDue(): boolean {
    if (!this.#last) return true;
    const ageMs = this.#host.monotonicMs() - this.#last.takenMs;
    return this.#wasSet(this.#last) || ageMs > (this.#last.tripMs > longTripMs ? repeatMs : refreshMs);
  }

  /** @param ask resolves to the time of MongoDB's server, or to `undefined` when the server does not tell it. */
  async measure(ask: () => Promise<Date | undefined>): Promise<void> {
    const sentMs = this.#host.monotonicMs();
    const databaseTime = await ask();
    const takenMs = this.#host.monotonicMs();
    const tripMs = takenMs - sentMs;
    const hostAheadMs = this.#hostAheadMs();
    const databaseAheadMs = databaseTime ? databaseTime.getTime() + tripMs / 2 - takenMs : hostAheadMs;
    const last = this.#last;
    // The older one is better, unless it may be wrong altogether.
    const keepsLast = last && tripMs > longTripMs && tripMs > last.tripMs && !this.#wasSet(last);
    this.#last = keepsLast ? { ...last, takenMs, tripMs } : { databaseAheadMs, hostAheadMs, takenMs, tripMs };
  }

  #now(): Date {
    if (!this.#last) return this.#host.now();
    return new Date(Math.round(this.#host.monotonicMs() + this.#last.databaseAheadMs));
  }

  #wasSet({ hostAheadMs }: Measurement): boolean {
    return Math.abs(this.#hostAheadMs() - hostAheadMs) > apartMs;
  }

  #hostAheadMs(): number {
    return this.#host.now().getTime() - this.#host.monotonicMs();
  }
}
