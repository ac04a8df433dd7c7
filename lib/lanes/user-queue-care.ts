/** Opens and deletes the RabbitMQ queues of loaded users. A refused queue affects only its user [R10], and so does a missing one [R15]. */
import { BrokerUnavailableError } from '../errors.ts';
import { logSampled } from '../log-sampled.ts';
import type { UserQueueChannel } from '../ports.ts';
import type { WorkerContext } from './context.ts';
import type { Step } from './decide-step.ts';
import { closeEarly, hasWork, type LoadedUser, noteRefusal, postponeClose } from './loaded-user.ts';
import type { OwnedLane } from './owned-lane.ts';
import { capOfLane, QueueCap } from './queue-cap.ts';
import { QueueLine } from './queue-line.ts';
import { QueueMarks } from './queue-marks.ts';
import type { UserRegistry } from './user-steps.ts';

type UserQueueCareOptions = {
  lane: OwnedLane;
  queues: UserQueueChannel;
  registry: UserRegistry;
  context: WorkerContext;
  /** Starts what is due for the user. */
  advance: (user: LoadedUser) => void;
};

/** A user whose queue takes longer to open, once it is its turn: it may be declared, and hold messages that nobody consumes. */
const slowOpenMs = 1_000;

export class UserQueueCare {
  readonly #lane: OwnedLane;
  readonly #queues: UserQueueChannel;
  readonly #registry: UserRegistry;
  readonly #context: WorkerContext;
  readonly #advance: (user: LoadedUser) => void;
  readonly #marks: QueueMarks;
  readonly #opening = new Map<Promise<void>, string>();
  readonly #cap: QueueCap;
  /** An earlier owner may have left their queues. */
  readonly #inherited = new WeakSet<LoadedUser>();
  readonly #line = new QueueLine();

  constructor({ lane, queues, registry, context, advance }: UserQueueCareOptions) {
    this.#lane = lane;
    this.#queues = queues;
    this.#registry = registry;
    this.#context = context;
    this.#advance = advance;
    this.#marks = new QueueMarks(lane, context);
    this.#cap = new QueueCap(capOfLane(lane.lane, context.deps.config));
  }

  /** After an acquisition, before anything is opened: the queues that the last owner may have left come first in the cap. */
  inherit(users: Iterable<LoadedUser>): void {
    for (const user of users) {
      this.#inherited.add(user);
      if (user.closing || !user.markedRefused) this.#cap.take(user);
    }
  }

  /** The user is forgotten. */
  forget(user: LoadedUser): void {
    this.#cap.release(user);
  }

  /** The users whose queue is being opened [R13]. `user.queue` does not say it: a consumer that is lost meanwhile makes it `none`. */
  opening(): string[] {
    return [...new Set(this.#opening.values())];
  }

  openWhenDue(user: LoadedUser, { kind }: Step): void {
    if (user.queue === 'later' && kind !== 'read' && kind !== 'run') user.queue = 'none';
    const wantsQueue = user.queue === 'none' || (user.queue === 'beyond-cap' && hasWork(user));
    if (wantsQueue && !user.closing) this.#open(user);
    if (user.queue === 'open' && user.markedRefused) this.#marks.set(user, false);
    // An earlier owner may have opened the queue, and unset the mark after we had set it or read it.
    if (user.queue === 'beyond-cap' && !user.closing && this.#marks.isUnset(user)) this.#markRefused(user);
  }

  openLate(user: LoadedUser): void {
    if (user.queue === 'later' && this.#lane.isHeld()) this.#open(user);
  }

  /** Resolves to whether the queue is gone. A delete that is refused is tried again later. */
  async delete(user: LoadedUser): Promise<boolean> {
    const { clock, random } = this.#clock();
    try {
      await this.#queues.delete(user.userId);
      this.#cap.release(user);
      user.queue = 'none';
      user.refusals = 0;
      return true;
    } catch (error) {
      if (!(error instanceof BrokerUnavailableError)) throw error;
      this.#warnOnce(
        user,
        error,
        'RabbitMQ did not delete a user queue: it is tried again, and the user stays open until then',
      );
      postponeClose(user, clock.monotonicMs(), noteRefusal(user) * random);
      return false;
    }
  }

  #clock() {
    const { clock } = this.#context.deps;
    return { clock, random: 0.5 + clock.random() / 2 };
  }

  #open(user: LoadedUser): void {
    if (!this.#cap.take(user)) {
      this.#serveWithout(user);
      return;
    }
    user.queue = 'opening';
    this.#line.declare(() => this.#openNow(user));
  }

  #openNow(user: LoadedUser): Promise<void> {
    const { clock } = this.#context.deps;
    const cancelSlow = clock.after(slowOpenMs, () => this.#registry.noteUnheard(user));
    const opening = this.#queues.open(user.userId);
    this.#opening.set(opening, user.userId);
    const ended = opening.finally(() => this.#opening.delete(opening));
    ended
      .then(
        () => this.#noteOpen(user),
        (error) => this.#noteFailed(user, error),
      )
      .finally(cancelSlow)
      .catch((error) => this.#lane.lose('a user queue could not be opened', error));
    return ended;
  }

  /** The queue of a user that is idle closes, if there is one. It is free for whoever has work by then. */
  #serveWithout(user: LoadedUser): void {
    const { clock, config } = this.#context.deps;
    if (user.queue !== 'beyond-cap') {
      user.queue = 'beyond-cap';
      // Marked by an earlier owner: what was accepted before was read together with the mark, and no refresh is needed.
      if (this.#isMarked(user)) this.#deleteBeyondCap(user);
      else this.#markRefused(user, () => this.#deleteBeyondCap(user));
    }
    const idle = this.#cap.takeIdle(clock.monotonicMs(), config.idleTimeoutMs);
    if (!idle) return;
    closeEarly(idle);
    this.#advance(idle);
  }

  /** Functions publish to it no more [R15]. If RabbitMQ refuses, the queue stays until the user closes. */
  #deleteBeyondCap(user: LoadedUser): void {
    if (!this.#inherited.has(user)) return;
    this.#line.delete(async () => {
      if (user.queue !== 'beyond-cap' || !this.#isServed(user) || !this.#inherited.delete(user)) return;
      await this.#queues.delete(user.userId).catch((error) => {
        if (!(error instanceof BrokerUnavailableError)) this.#lane.lose('a user queue could not be deleted', error);
      });
    });
  }

  #noteOpen(user: LoadedUser): void {
    user.refusals = 0;
    if (user.queue === 'opening') user.queue = 'open';
    this.#advance(user);
  }

  #noteFailed(user: LoadedUser, error: unknown): void {
    if (!(error instanceof BrokerUnavailableError)) throw error;
    if (!this.#isServed(user)) return;
    user.queue = 'refused';
    this.#warnOnce(user, error, 'RabbitMQ refused a user queue: serving its user from the ledger');
    const { clock, random } = this.#clock();
    user.cancelQueueTimer = clock.after(noteRefusal(user) * random, () => this.#tryAgain(user));
    this.#advance(user);
    this.#markRefused(user);
  }

  #tryAgain(user: LoadedUser): void {
    user.cancelQueueTimer = undefined;
    if (user.queue !== 'refused' || !this.#registry.isLoaded(user)) return;
    user.queue = 'none';
    this.#advance(user);
  }

  #isMarked(user: LoadedUser): boolean {
    return user.markedRefused && !this.#marks.isWriting(user);
  }

  #isServed(user: LoadedUser): boolean {
    return this.#lane.mayStart() && this.#registry.isLoaded(user);
  }

  /** Marks first, then refreshes: functions that took their ticket before the mark may have published already [R10]. */
  #markRefused(user: LoadedUser, then = () => {}): void {
    if (!this.#isServed(user)) return;
    this.#marks.set(user, true, () => {
      if (!this.#isServed(user)) return;
      then();
      this.#registry.refresh(user.userId);
    });
  }

  #warnOnce(user: LoadedUser, err: BrokerUnavailableError, text: string): void {
    if (user.refusals > 0 || !this.#isServed(user)) return;
    const fields = { lane: this.#lane.lane, userId: user.userId, err };
    logSampled(this.#context.deps.log, 'warn', fields, text);
  }
}
