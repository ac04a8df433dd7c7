/**
 * How many bytes of bodies one worker holds. A body is needed only from its claim to the start of its run; whatever does not fit
 * is left in the ledger and read when its user has a slot.
 *
 * - One half is for bodies that wait. A user's later requests leave half of it to the next requests of other users.
 * - The other half is for bodies of users that have a slot. It is always free again within a moment, however many bodies wait and
 *   however long runs take, because a body is let go when its run starts.
 */
import { maxRequestBytes } from '../limits.ts';

/** V8 keeps a text in one or two bytes a character, and does not say which. */
const bytesPerCharacter = 2;

/** What a body may take in memory that has not been read yet. */
const largestBodyBytes = maxRequestBytes * bytesPerCharacter;

/** A body in memory. `free` gives its bytes back to the budget, once. */
export type HeldBody = { readonly text: string; free(): void };

export class BodyBudget {
  readonly #limit: number;
  #waiting = 0;
  #moving = 0;
  readonly #turns: (() => void)[] = [];

  /** @param heldBytes for one worker. However small it is, one user that has a slot gets its body. */
  constructor(heldBytes: number) {
    this.#limit = heldBytes / 2;
  }

  /** Held, or set aside for reads under way. */
  get bytes(): number {
    return this.#waiting + this.#moving;
  }

  /** `undefined` when there is no room: the ledger has the body. */
  hold(text: string, isNext: boolean): HeldBody | undefined {
    const bytes = text.length * bytesPerCharacter;
    if (this.#waiting + bytes > (isNext ? this.#limit : this.#limit / 2)) return undefined;
    this.#waiting += bytes;
    return { text, free: once(() => this.#addWaiting(-bytes)) };
  }

  /** Sets room aside for the bodies of a user's next requests, up to so many. Returns how many there is room for. */
  setAside(wanted: number): { bodies: number; giveBack(): void } {
    const roomIn = (limit: number) => Math.max(0, Math.floor((limit - this.#waiting) / largestBodyBytes));
    const bodies = Math.min(wanted, Math.max(roomIn(this.#limit / 2), Math.min(1, roomIn(this.#limit))));
    this.#addWaiting(bodies * largestBodyBytes);
    return { bodies, giveBack: once(() => this.#addWaiting(-bodies * largestBodyBytes)) };
  }

  /** Room for the body of a user that has a slot: first come, first served. Call the result when the body is let go. */
  async turn(): Promise<() => void> {
    if (this.#turns.length > 0 || !this.#hasTurn()) await new Promise<void>((resolve) => this.#turns.push(resolve));
    else this.#moving += largestBodyBytes;
    return once(() => this.#endTurn());
  }

  #hasTurn(): boolean {
    return this.#moving === 0 || this.#moving + largestBodyBytes <= this.#limit;
  }

  #endTurn(): void {
    this.#moving -= largestBodyBytes;
    while (this.#turns.length > 0 && this.#hasTurn()) {
      this.#moving += largestBodyBytes;
      this.#turns.shift()?.();
    }
  }

  #addWaiting(bytes: number): void {
    this.#waiting += bytes;
  }
}

const once = (work: () => void): (() => void) => {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
};
