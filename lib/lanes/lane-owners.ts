/** Which lanes have no owner, as far as one worker knows: from the heartbeats of all workers, and from its own lanes. */
import { heartbeatEveryMs } from '../heartbeat-times.ts';
import type { Heartbeat } from '../ports.ts';

/** Heartbeats this old are read too: the clock of their writer may be behind. Whether the writer is alive, their changes tell. */
export const heartbeatWindowMs = 600_000;
/** A worker whose heartbeat has not changed for this long counts as gone. Both the write and the read may be late. */
const silentAfterMs = 5 * heartbeatEveryMs;

type Heard = Heartbeat & { heardAtMs: number };

export class LaneOwners {
  #heard: Heard[] | undefined;

  /** @param nowMs this process's time, which is not compared with a time in a heartbeat. */
  note(heartbeats: Heartbeat[], nowMs: number): void {
    const before = new Map(this.#heard?.map((heard) => [heard.workerId, heard]));
    this.#heard = heartbeats.map((heartbeat) => {
      const earlier = before.get(heartbeat.workerId);
      const isNew = earlier?.at.getTime() !== heartbeat.at.getTime();
      return { ...heartbeat, heardAtMs: earlier && !isNew ? earlier.heardAtMs : nowMs };
    });
  }

  /**
   * The lanes below `count` that no worker owns. `undefined` before the first heartbeats were read. While none can be read, the
   * lanes of other workers soon count as lanes without an owner: nobody knows of one.
   */
  without(count: number, own: number[], nowMs: number): number[] | undefined {
    if (!this.#heard) return undefined;
    const alive = this.#heard.filter(({ heardAtMs }) => nowMs - heardAtMs <= silentAfterMs);
    const owned = new Set([...own, ...alive.flatMap(({ lanes }) => lanes)]);
    return Array.from({ length: count }, (_, lane) => lane).filter((lane) => !owned.has(lane));
  }
}
