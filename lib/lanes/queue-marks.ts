/** `queueRefused` of loaded users: functions wake the lane while it is set [R10, R15]. */
import type { WorkerContext } from './context.ts';
import type { LoadedUser } from './loaded-user.ts';
import type { OwnedLane } from './owned-lane.ts';
import { persist } from './persist.ts';

/** What `userQueues` should say, the write that is under way, and when the last one ended. */
type Mark = { wanted: boolean; writing: Promise<void> | undefined; writtenMs: number };

/** A mark that is not there after its write is not written again before this time: the refresh that says so may be older. */
const repeatAfterMs = 1_000;

export class QueueMarks {
  readonly #lane: OwnedLane;
  readonly #context: Pick<WorkerContext, 'deps'>;
  readonly #marks = new WeakMap<LoadedUser, Mark>();

  constructor(lane: OwnedLane, context: Pick<WorkerContext, 'deps'>) {
    this.#lane = lane;
    this.#context = context;
  }

  /** One write at a time, so that the last one is what was wanted last. `then` is called when it is written. */
  set(user: LoadedUser, wanted: boolean, then = () => {}): void {
    const mark = this.#marks.get(user) ?? { wanted, writing: undefined, writtenMs: Number.NEGATIVE_INFINITY };
    this.#marks.set(user, mark);
    mark.wanted = wanted;
    mark.writing ??= this.#write(user, mark).finally(() => {
      mark.writing = undefined;
      mark.writtenMs = this.#context.deps.clock.monotonicMs();
    });
    mark.writing.then(then).catch((error) => this.#lane.lose('the refusal of a user queue could not be marked', error));
  }

  isWriting(user: LoadedUser): boolean {
    return this.#marks.get(user)?.writing !== undefined;
  }

  /** Whether a refresh that shows no mark shows that somebody else has unset it. */
  isUnset(user: LoadedUser): boolean {
    if (user.markedRefused || this.isWriting(user)) return false;
    const { writtenMs = Number.NEGATIVE_INFINITY } = this.#marks.get(user) ?? {};
    return this.#context.deps.clock.monotonicMs() - writtenMs >= repeatAfterMs;
  }

  async #write(user: LoadedUser, mark: Mark): Promise<void> {
    const { clock, userQueues } = this.#context.deps;
    while (user.markedRefused !== mark.wanted && this.#lane.isHeld()) {
      const { wanted } = mark;
      await persist(clock, this.#lane.isHeld, () => userQueues.noteQueueRefused(user.userId, wanted));
      user.markedRefused = wanted;
    }
  }
}
