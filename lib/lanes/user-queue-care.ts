/** Opens and deletes the RabbitMQ queues of loaded users. A refused queue affects only its user [R10]. */
import { BrokerUnavailableError } from '../errors.ts';
import { logSampled } from '../log-sampled.ts';
import type { UserQueueChannel } from '../ports.ts';
import type { WorkerContext } from './context.ts';
import type { Step } from './decide-step.ts';
import { type LoadedUser, noteRefusal, postponeClose } from './loaded-user.ts';
import type { OwnedLane } from './owned-lane.ts';
import { persist } from './persist.ts';
import type { UserRegistry } from './user-steps.ts';

type UserQueueCareOptions = {
  lane: OwnedLane;
  queues: UserQueueChannel;
  registry: UserRegistry;
  context: WorkerContext;
  /** Starts what is due for the user. */
  advance: (user: LoadedUser) => void;
};

/** A user whose queue takes longer to open, once it is its turn, is served from the ledger meanwhile. */
const slowOpenMs = 1_000;

/**
 * A lane declares one queue after the other on one channel, and consumes them on others. More calls under way would only wait there, and
 * look slow.
 */
const opensAtATime = 4;

/** What `userQueues` should say, and the write that is under way. */
type Mark = { wanted: boolean; writing: Promise<void> | undefined };

export class UserQueueCare {
  readonly #lane: OwnedLane;
  readonly #queues: UserQueueChannel;
  readonly #registry: UserRegistry;
  readonly #context: WorkerContext;
  readonly #advance: (user: LoadedUser) => void;
  readonly #marks = new WeakMap<LoadedUser, Mark>();
  readonly #opening = new Map<Promise<void>, string>();
  /** Who waits for its turn. */
  readonly #line: LoadedUser[] = [];

  constructor({ lane, queues, registry, context, advance }: UserQueueCareOptions) {
    this.#lane = lane;
    this.#queues = queues;
    this.#registry = registry;
    this.#context = context;
    this.#advance = advance;
  }

  /** The users whose queue is being opened [R13]. `user.queue` does not say it: a consumer that is lost meanwhile makes it `none`. */
  opening(): string[] {
    return [...new Set(this.#opening.values())];
  }

  openWhenDue(user: LoadedUser, { kind }: Step): void {
    if (user.queue === 'later' && kind !== 'read' && kind !== 'run') user.queue = 'none';
    if (user.queue === 'none' && !user.closing) this.#open(user);
    if (user.queue === 'open' && user.markedRefused) this.#mark(user, false);
  }

  openLate(user: LoadedUser): void {
    if (user.queue === 'later' && this.#lane.isHeld()) this.#open(user);
  }

  /** Resolves to whether the queue is gone. A delete that is refused is tried again later. */
  async delete(user: LoadedUser): Promise<boolean> {
    const { clock, random } = this.#clock();
    try {
      await this.#queues.delete(user.userId);
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
    user.queue = 'opening';
    this.#line.push(user);
    this.#openNext();
  }

  #openNext(): void {
    while (this.#opening.size < opensAtATime) {
      const user = this.#line.shift();
      if (!user) return;
      this.#openNow(user);
    }
  }

  #openNow(user: LoadedUser): void {
    const { clock } = this.#context.deps;
    const cancelSlow = clock.after(slowOpenMs, () => this.#markRefused(user));
    const opening = this.#queues.open(user.userId);
    this.#opening.set(opening, user.userId);
    opening
      .finally(() => {
        this.#opening.delete(opening);
        this.#openNext();
      })
      .then(
        () => this.#noteOpen(user),
        (error) => this.#noteFailed(user, error),
      )
      .finally(cancelSlow)
      .catch((error) => this.#lane.lose('a user queue could not be opened', error));
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

  #isServed(user: LoadedUser): boolean {
    return this.#lane.mayStart() && this.#registry.isLoaded(user);
  }

  /** Marks first, then refreshes: functions that took their ticket before the mark may have published already [R10]. */
  #markRefused(user: LoadedUser): void {
    if (!this.#isServed(user)) return;
    this.#mark(user, true, () => {
      if (this.#isServed(user)) this.#registry.refresh(user.userId);
    });
  }

  /** One write at a time, so that the last one is what was wanted last. */
  #mark(user: LoadedUser, wanted: boolean, then = () => {}): void {
    const mark = this.#marks.get(user) ?? { wanted, writing: undefined };
    this.#marks.set(user, mark);
    mark.wanted = wanted;
    mark.writing ??= this.#writeMark(user, mark).finally(() => {
      mark.writing = undefined;
    });
    mark.writing.then(then).catch((error) => this.#lane.lose('the refusal of a user queue could not be marked', error));
  }

  async #writeMark(user: LoadedUser, mark: Mark): Promise<void> {
    const { clock, userQueues } = this.#context.deps;
    while (user.markedRefused !== mark.wanted && this.#lane.isHeld()) {
      const { wanted } = mark;
      await persist(clock, this.#lane.isHeld, () => userQueues.noteQueueRefused(user.userId, wanted));
      user.markedRefused = wanted;
    }
  }

  #warnOnce(user: LoadedUser, err: BrokerUnavailableError, text: string): void {
    if (user.refusals > 0 || !this.#isServed(user)) return;
    const fields = { lane: this.#lane.lane, userId: user.userId, err };
    logSampled(this.#context.deps.log, 'warn', fields, text);
  }
}
