/** A worker's heartbeat in MongoDB: which lanes it owns. Without an answer from MongoDB the worker gives its lanes up. */

import { heartbeatValidMs } from '../heartbeat-times.ts';
import type { Heartbeat } from '../ports.ts';
import { withTimeout } from '../timeout.ts';
import type { LaneDeps } from './context.ts';
import { beatMsOf } from './frozen-workers.ts';

/** A worker gives its lanes up after this many store timeouts without an answer: MongoDB may still answer other workers. */
const timeoutsBeforeGivingUp = 2;
/** Heartbeats may be late by this much beyond that before a lender counts as dead: by then it has aborted its runs itself. */
const lenderMarginMs = 5_000;
/** The heartbeat expires by itself, so removing it must not hold up a worker that stops. */
const removeTimeoutMs = 500;

/** The most users that a heartbeat names: it must stay small. */
const maxUnresponsive = 1_000;

const hex = (clock: LaneDeps['clock']): string =>
  Math.floor(clock.random() * 0x10000)
    .toString(16)
    .padStart(4, '0');

export const createWorkerId = (clock: LaneDeps['clock']): string =>
  Array.from({ length: 4 }, () => hex(clock)).join('');

type HeartbeatDeps = Pick<LaneDeps, 'clock' | 'workers'> & {
  config: Pick<LaneDeps['config'], 'storeTimeoutMs' | 'frozenAfterMs'>;
};

export class WorkerHeartbeat {
  readonly #deps: HeartbeatDeps;
  readonly #workerId: string;
  #answeredAt: number;

  constructor(deps: HeartbeatDeps, workerId: string) {
    this.#deps = deps;
    this.#workerId = workerId;
    this.#answeredAt = deps.clock.monotonicMs();
  }

  /** A worker whose last heartbeat is older runs nothing any more: it is dead, or has given up and aborted its runs [R11]. */
  get lenderValidMs(): number {
    return timeoutsBeforeGivingUp * this.#deps.config.storeTimeoutMs + lenderMarginMs;
  }

  /** MongoDB has not answered for so long that this worker must not own lanes. */
  storeIsSilent(): boolean {
    const { clock, config } = this.#deps;
    return clock.monotonicMs() - this.#answeredAt > timeoutsBeforeGivingUp * config.storeTimeoutMs;
  }

  /** Whether MongoDB has answered in the time that it may take. */
  get storeAnswers(): boolean {
    const { clock, config } = this.#deps;
    return clock.monotonicMs() - this.#answeredAt <= config.storeTimeoutMs + heartbeatValidMs;
  }

  async send(
    heartbeat: Pick<Heartbeat, 'lanes' | 'busy' | 'unresponsive' | 'away' | 'statistics' | 'demand' | 'moves'>,
  ): Promise<void> {
    const { clock, workers, config } = this.#deps;
    const beatMs = beatMsOf(config.frozenAfterMs);
    const unresponsive = heartbeat.unresponsive.slice(0, maxUnresponsive);
    await workers.report({ ...heartbeat, workerId: this.#workerId, unresponsive, beatMs, at: clock.now() });
    this.#answeredAt = clock.monotonicMs();
  }

  /** Never rejects. */
  async remove(): Promise<void> {
    const { clock, workers } = this.#deps;
    const removed = workers.remove(this.#workerId).catch(() => undefined);
    await withTimeout(clock, removeTimeoutMs, removed, () => undefined);
  }
}
