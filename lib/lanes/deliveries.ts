/**
 * The only file in `lib/lanes` that decides when to acknowledge a message. The broker's side is broker/consuming-channel.ts.
 *
 * | message | acknowledged |
 * | --- | --- |
 * | baton | when a newer one has arrived; never the newest: holding it means owning the lane |
 * | wake | at once: the refresh that follows reads everything it announces |
 * | request of a user that is not loaded | at once: a refresh loads the user, and the ledger has the request |
 * | request of a loaded user | when the request is claimed or settled, or has been held for minutes: the ledger has it |
 */
import type { Delivery } from '../ports.ts';

export class BatonDelivery {
  #held: Delivery | undefined;

  replace(newer: Delivery): void {
    this.#held?.ack();
    this.#held = newer;
  }
}

/** For a message that says nothing the ledger does not. */
export const ackAtOnce = (delivery: Delivery): void => delivery.ack();

/** The unacknowledged messages of one loaded user, by `seq`. An unacknowledged message takes a place of the consumer's prefetch. */
export class RequestDeliveries {
  readonly #bySeq = new Map<number, Delivery>();

  has(seq: number): boolean {
    return this.#bySeq.has(seq);
  }

  keep(seq: number, delivery: Delivery): void {
    this.ack(seq);
    this.#bySeq.set(seq, delivery);
  }

  ack(seq: number): void {
    this.#bySeq.get(seq)?.ack();
    this.#bySeq.delete(seq);
  }
}
