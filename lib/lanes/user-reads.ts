/** Reads of the ledger for one loaded user, with as many bodies as the worker has room for. */
import type { WorkerContext } from './context.ts';
import { dropWaiting, type LoadedUser } from './loaded-user.ts';
import { momentOf } from './moment.ts';
import { noteEntries } from './note-entries.ts';
import { loseToLaterOwner, type OwnedLane } from './owned-lane.ts';

/** How many requests of one user a read of the ledger asks for. The first read asks only for what may run at once. */
const readAhead = 8;
const firstRead = 1;

export class UserReads {
  readonly #lane: OwnedLane;
  readonly #context: WorkerContext;

  constructor(lane: OwnedLane, context: WorkerContext) {
    this.#lane = lane;
    this.#context = context;
  }

  /** `next`, and what follows if there is room. Without room for one body, the state of `next` alone. */
  async read(user: LoadedUser): Promise<void> {
    // A request that waits is read again alone: those behind it can wait too.
    const waits = user.held.get(user.next) !== undefined;
    const wanted = user.wasRead && !waits ? readAhead : firstRead;
    const { bodies, giveBack } = this.#context.bodies.setAside(
      waits ? 0 : Math.min(wanted, user.known - user.next + 1),
    );
    await this.#readFrom(user, { count: Math.max(1, bodies), withBodies: bodies > 0, giveBack });
  }

  /** The body of `next`, for a user that has a slot. It may find that `next` must not run any more, or that the lane is handed over. */
  async readBody(user: LoadedUser): Promise<void> {
    const { next } = user;
    const free = await this.#context.bodies.turn();
    let isHeld = false;
    try {
      if (this.#lane.mayStart()) await this.#readFrom(user, { count: 1, withBodies: true, free });
      isHeld = user.next === next && user.held.bodyOf(next) !== undefined;
    } finally {
      if (!isHeld) free();
    }
  }

  async #readFrom(
    user: LoadedUser,
    room: { count: number; withBodies: boolean; giveBack?: () => void; free?: () => void },
  ): Promise<void> {
    const { userId, next, refreshes } = user;
    const { deps, readEntries } = this.#context;
    const last = Math.min(user.known, next + room.count - 1);
    const ids = Array.from({ length: last - next + 1 }, (_, index) => ({ userId, seq: next + index }));
    try {
      const entries = await readEntries({ ids, withBodies: room.withBodies, wanted: this.#lane.isHeld });
      room.giveBack?.();
      if (!entries) return;
      loseToLaterOwner(this.#lane, entries);
      noteEntries(user, last, entries, momentOf(deps.clock), room.free);
      // A person's decision or the end of a lent run may have come after the read, and its wake before the answer.
      if (user.refreshes > refreshes) dropWaiting(user, deps.clock.monotonicMs());
    } finally {
      room.giveBack?.();
    }
  }
}
