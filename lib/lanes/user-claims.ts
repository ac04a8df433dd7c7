/** Claims of the requests of one user, and what else an owner records about what an earlier owner left [R7]. */
import type { LedgerChange, Said } from '../ledger-change.ts';
import type { RunPlan } from '../ports.ts';
import { endedOutcome } from '../run-ended.ts';
import { countsAfter } from './changes.ts';
import type { WorkerContext } from './context.ts';
import type { HeldRequest } from './held-requests.ts';
import type { LoadedUser } from './loaded-user.ts';
import { loseToLaterOwner, type OwnedLane } from './owned-lane.ts';
import type { UserReads } from './user-reads.ts';

export type Claimed = { seq: number; request: HeldRequest };

export class UserClaims {
  readonly #lane: OwnedLane;
  readonly #reads: UserReads;
  readonly #context: WorkerContext;

  constructor(lane: OwnedLane, reads: UserReads, context: WorkerContext) {
    this.#lane = lane;
    this.#reads = reads;
    this.#context = context;
  }

  /** For a user that has a slot. Resolves to `undefined` when there is nothing to run, or not here. */
  async claimNext(user: LoadedUser): Promise<Claimed | undefined> {
    const request = await this.#readyToClaim(user);
    return request && this.#lane.isHeld() ? this.claim(user, user.next, request) : undefined;
  }

  /** `next` with its body. `undefined`: there was no room for the body before, and by now `next` must not run, or not here. */
  async #readyToClaim(user: LoadedUser): Promise<HeldRequest | undefined> {
    const { next } = user;
    const before = user.held.get(next);
    if (!before || user.held.bodyOf(next) !== undefined) return before;
    const { kind } = this.planOf(user, next, before);
    await this.#reads.readBody(user);
    const request = user.next === next ? user.held.get(next) : undefined;
    const hasBody = user.held.bodyOf(next) !== undefined;
    // A handover may have begun while the user waited for its turn.
    const mayRun = request && hasBody && this.#lane.mayStart() && this.planOf(user, next, request).kind === kind;
    if (mayRun) return request;
    // Another user waits for its room.
    user.held.takeBody(next)?.free();
    return undefined;
  }

  planOf({ userId }: LoadedUser, seq: number, request: HeldRequest): RunPlan {
    if (request.ended) return { kind: 'dead-letter', outcome: endedOutcome() };
    return this.#context.deps.planRun({ userId, seq, ...request });
  }

  /** Records the interruption of `next`, which has to wait for a slot: a request that waits is `queued`. */
  async requeue(user: LoadedUser): Promise<void> {
    const { next } = user;
    const request = user.held.get(next);
    if (!request) return;
    const requeued: HeldRequest = { ...request, ...countsAfter(request), interrupted: false };
    const change: LedgerChange = { kind: 'requeue', ...countsAfter(request), ...this.guard(user, next, request) };
    await this.takeOver(user, change, requeued);
  }

  /** Resolves to whether the change of what an earlier owner left is recorded. If not, the request is read again. */
  async takeOver(user: LoadedUser, change: LedgerChange, changed: HeldRequest): Promise<boolean> {
    const { seq } = change;
    const body = user.held.takeBody(seq);
    let isApplied = false;
    try {
      const result = await this.#context.commit({ change, lane: this.#lane.lane, wanted: this.#lane.isHeld });
      if (result?.applied === false && result.entry) loseToLaterOwner(this.#lane, [result.entry]);
      // Its message, which may have come meanwhile, is not needed any more.
      if (result) user.held.drop(seq);
      isApplied = result?.applied ?? false;
    } finally {
      if (!isApplied) body?.free();
    }
    if (isApplied) user.held.set(seq, changed, body);
    return isApplied;
  }

  guard(user: LoadedUser, seq: number, { attempts }: HeldRequest) {
    const { clock } = this.#context.deps;
    return { userId: user.userId, seq, token: this.#lane.token, attempt: attempts, at: clock.now() };
  }

  /** Resolves to `undefined` when there is nothing to run: the claim was refused, or is no longer wanted. */
  async claim(user: LoadedUser, seq: number, request: HeldRequest): Promise<Claimed | undefined> {
    const counts = countsAfter(request);
    const attempts = request.attempts + 1;
    const claiming: HeldRequest = {
      ...request,
      ...counts,
      attempts,
      isFromMessage: false,
      interrupted: false,
      retryAt: undefined,
      heldSince: this.#context.deps.clock.monotonicMs(),
    };
    const said = this.#saidOf(user, seq, request);
    const change: LedgerChange = { kind: 'claim', ...counts, said, ...this.guard(user, seq, claiming) };
    return (await this.takeOver(user, change, claiming)) ? { seq, request: claiming } : undefined;
  }

  /** What the ledger must say as well. What was read from the ledger needs no such check. */
  #saidOf(user: LoadedUser, seq: number, { isFromMessage, ...request }: HeldRequest): Said | undefined {
    const body = user.held.bodyOf(seq);
    if (!isFromMessage || body === undefined) return undefined;
    const { bytesThrough, limits, interruptions, traceparent, acceptedAt } = request;
    return { body, bytesThrough, limits, interruptions, traceparent, acceptedAt };
  }
}
