/**
 * The runs that a worker may have at a time. Users get slots in the order in which they ask, one each, so they share evenly. Users
 * whose runs do not end in time share some of the slots.
 */

/** The right to run one request. Releasing it twice does nothing. */
export type Slot = { release(): void; isHeld(): boolean };

/** Called with a slot when one is free. Returns whether the user keeps it until it releases it. */
type Granted = (slot: Slot) => boolean;

type Waiter = { number: number; overdue: boolean; granted: Granted };

export type SlotLimits = {
  slots: number;
  /** The slots that overdue users may have together. The others stay free for users whose runs end in time. */
  overdueShare: number;
};

/** So many overdue users are remembered. */
const maxOverdueUsers = 10_000;

/** Half of the slots for overdue users, so that runs that hang again and again never have all. A single slot is not shared. */
export const limitsOf = (slots: number): SlotLimits => ({ slots, overdueShare: Math.max(1, Math.floor(slots / 2)) });

/** A user whose newest run here went on past its deadline is overdue, until a run of it ends in time. */
export class Slots {
  readonly #limits: SlotLimits;
  readonly #waiting: Waiter[] = [];
  readonly #overdueWaiting: Waiter[] = [];
  readonly #overdueUsers = new Set<string>();
  #asked = 0;
  #inUse = 0;
  #overdueInUse = 0;

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  get inUse(): number {
    return this.#inUse;
  }

  /** Whether this user would have to wait for a slot. */
  isFullFor(userId: string): boolean {
    const shareIsUsed = this.#overdueUsers.has(userId) && !this.#overdueMayStart();
    return this.#inUse >= this.#limits.slots || shareIsUsed;
  }

  /** Calls `granted` when a slot is free for the user, at once if one is. */
  acquire(userId: string, granted: Granted): void {
    this.#asked += 1;
    const overdue = this.#overdueUsers.has(userId);
    (overdue ? this.#overdueWaiting : this.#waiting).push({ number: this.#asked, overdue, granted });
    this.#grant();
  }

  /** Whether another user waits for the slot of this user, who then gives it up after each run. */
  contended(userId: string): boolean {
    if (this.#waiting.length > 0) return true;
    return this.#overdueWaiting.length > 0 && (this.#overdueUsers.has(userId) || this.#overdueMayStart());
  }

  isOverdue(userId: string): boolean {
    return this.#overdueUsers.has(userId);
  }

  /** @param inTime whether the newest run of the user ended before its deadline. */
  noteRun(userId: string, inTime: boolean): void {
    this.#overdueUsers.delete(userId);
    if (inTime) return;
    this.#overdueUsers.add(userId);
    const [oldest] = this.#overdueUsers;
    if (oldest !== undefined && this.#overdueUsers.size > maxOverdueUsers) this.#overdueUsers.delete(oldest);
  }

  #overdueMayStart(): boolean {
    return this.#overdueInUse < this.#limits.overdueShare;
  }

  /** Those who may have a slot get it in the order in which they asked. */
  #next(): Waiter | undefined {
    const [first] = this.#waiting;
    const overdue = this.#overdueMayStart() ? this.#overdueWaiting[0] : undefined;
    if (overdue && (!first || overdue.number < first.number)) return this.#overdueWaiting.shift();
    return this.#waiting.shift();
  }

  #grant(): void {
    while (this.#inUse < this.#limits.slots) {
      const next = this.#next();
      if (!next) return;
      this.#count(next.overdue, 1);
      if (!next.granted(this.#slot(next.overdue))) this.#count(next.overdue, -1);
    }
  }

  #count(overdue: boolean, change: 1 | -1): void {
    this.#inUse += change;
    if (overdue) this.#overdueInUse += change;
  }

  #slot(overdue: boolean): Slot {
    let held = true;
    return {
      isHeld: () => held,
      release: () => {
        if (!held) return;
        held = false;
        this.#count(overdue, -1);
        this.#grant();
      },
    };
  }
}
