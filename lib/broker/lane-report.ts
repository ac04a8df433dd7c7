/** Reports lanes that cannot be opened: once for all of them, whatever the reason, and once when it is over. */
import { systemClock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { watchOutages } from '../outage.ts';
import { channelsNeeded, explain, isOutOfChannels, tooFewChannels } from './limits.ts';

const laneTexts = { away: 'lanes could not be opened', back: 'all lanes are open again' };
const channelTexts = { away: 'RabbitMQ allows too few channels', back: 'RabbitMQ allows enough channels again' };

/** Many lanes are opened within seconds, even by a busy server. */
const defaultSlowMs = 10_000;
/** A server that closes the connection because of a limit may let all lanes be opened first. Above the pause between two tries. */
const defaultSettleMs = 5_000;

/** When a lane that RabbitMQ does not open is reported, and how long all lanes must stay open before that is over. */
export type LaneReportTimes = { slowMs?: number; settleMs?: number };

export type LaneReportOptions = LaneReportTimes & { url: string; lanes: number };

export class LaneReport {
  readonly #options: LaneReportOptions;
  readonly #laneOutages;
  readonly #channelOutages;
  /** Lanes that were asked for. LANES may be lower than their number. */
  readonly #wanted = new Set<number>();
  /** Lanes that failed when they were last opened, or that were lost since. */
  readonly #missing = new Set<number>();
  #channelMax = Number.POSITIVE_INFINITY;
  #closed = false;
  #cancelEnd = () => {};

  constructor(options: LaneReportOptions, log: Logger) {
    this.#options = options;
    this.#laneOutages = watchOutages(log, laneTexts);
    this.#channelOutages = watchOutages(log, channelTexts);
  }

  /** @param channelMax how many channels the connection may have. */
  connected(channelMax: number): void {
    this.#channelMax = channelMax;
    if (this.#hasTooFewChannels()) this.#noteChannels();
    else this.#channelOutages.succeeded();
  }

  /** A lane is being opened. Reports it when RabbitMQ does not answer for long. Call what it returns when the lane is open, or failed. */
  opening(lane: number): () => void {
    const { slowMs = defaultSlowMs } = this.#options;
    const wait = (): (() => void) =>
      systemClock.after(slowMs, () => {
        this.failed(lane, new Error(`RabbitMQ has not answered for ${slowMs} ms`));
        cancel = wait();
      });
    this.#wanted.add(lane);
    let cancel = wait();
    return () => cancel();
  }

  opened(lane: number): void {
    if (!this.#missing.delete(lane) || this.#missing.size > 0) return;
    const { settleMs = defaultSettleMs } = this.#options;
    this.#cancelEnd = systemClock.after(settleMs, () => this.#laneOutages.succeeded());
  }

  /** An open lane's channel is gone. Whoever had it reports that; here it only delays the end of an outage. */
  lost(lane: number): void {
    this.#cancelEnd();
    this.#missing.add(lane);
  }

  failed(lane: number, error: unknown): void {
    if (this.#closed) return;
    this.lost(lane);
    if (isOutOfChannels(error) && this.#hasTooFewChannels()) this.#noteChannels();
    else this.#laneOutages.failed(explain(error, this.#laneCount()));
  }

  /** The lanes that fail from now on fail because the connection is being closed. */
  close(): void {
    this.#closed = true;
    this.#cancelEnd();
  }

  #laneCount(): number {
    return Math.max(this.#options.lanes, this.#wanted.size);
  }

  #hasTooFewChannels(): boolean {
    return this.#channelMax < channelsNeeded(this.#laneCount());
  }

  #noteChannels(): void {
    const { url } = this.#options;
    this.#channelOutages.failed(new Error(tooFewChannels(this.#channelMax, this.#laneCount(), url)));
  }
}
